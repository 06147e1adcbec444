/** Import this first: whoever is root becomes nobody, so that the lab keeps needing no root. */

const NOBODY = 65_534;

if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
