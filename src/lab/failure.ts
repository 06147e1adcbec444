/** What can go wrong with a lab, as closed codes, each with its remedy and the exit code the command line owes. */

export const LAB_FAILURES = {
  "not-linux": { exit: 3, help: "The lab needs Linux; predictions work everywhere." },
  "namespaces-closed": {
    exit: 3,
    help: "Allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces > 0, kernel.apparmor_restrict_unprivileged_userns=0; in a container run it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined.",
  },
  "tool-missing": { exit: 3, help: "Install the Debian package util-linux (unshare, nsenter, setpriv)." },
  "kernel-feature-missing": {
    exit: 3,
    help: "The kernel must offer nf_tables, conntrack, NAT, nfnetlink_log and veth (Debian's kernel does).",
  },
  "lab-exists": { exit: 2, help: "Take another --name, or end it with `bulkhead lab down`." },
  "lab-not-found": { exit: 2, help: "Start one with `bulkhead lab up -f DIR`." },
  "pod-not-found": { exit: 2, help: "`bulkhead lab status` lists the names." },
  "plan-invalid": { exit: 2, help: "The lab cannot be built as described." },
  "address-clash": { exit: 2, help: "Each address may belong to one pod, node or service only." },
  "too-many-pods": { exit: 3, help: "Raise the limit named in the message, or start fewer pods." },
  "rules-unsupported": {
    exit: 2,
    help: "`bulkhead lab capabilities` lists what the lab enforces; --allow-unenforced leaves out what it does not.",
  },
  "lab-died": { exit: 3, help: "The lab ended while it was asked; start it again." },
  internal: { exit: 3, help: "This is a defect of bulkhead; please report it with the message." },
} as const;

export type LabFailureCode = keyof typeof LAB_FAILURES;

export function isLabFailureCode(code: string): code is LabFailureCode {
  return Object.hasOwn(LAB_FAILURES, code);
}

export class LabError extends Error {
  override readonly name = "LabError";
  readonly code: LabFailureCode;

  constructor(code: LabFailureCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The remedy, one line. */
  get help(): string {
    return LAB_FAILURES[this.code].help;
  }

  /** Exit code of a command that fails with it: 2 bad input, 3 the environment cannot do it. */
  get exit(): 2 | 3 {
    return LAB_FAILURES[this.code].exit;
  }
}
