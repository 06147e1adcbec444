/** Small plans of Terraform by tweaks. */

export interface Block {
  /** `aws_subnet.a`, `module.net.aws_subnet.a["x"]`. */
  readonly at: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** What is known only after apply: the attribute and what its expression names. */
  readonly refs?: Readonly<Record<string, readonly string[]>>;
  readonly unknown?: Readonly<Record<string, unknown>>;
  readonly actions?: readonly string[];
}

/** A plan as `terraform show -json` writes it, of blocks of the root module and of `module.net`. */
export function plan(
  blocks: readonly Block[],
  more: Readonly<Record<string, unknown>> = {},
  calls: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const parts = blocks.map((block) => {
    const [, module = "", type = "", name = "", index] =
      /^(module\.\w+\.)?(\w+)\.(\w+)(?:\[(.*)\])?$/.exec(block.at) ?? [];
    return { block, module, type, name, index };
  });
  const resource = ({ block, type, name }: (typeof parts)[number]): unknown => ({
    address: block.at,
    mode: "managed",
    type,
    name,
    values: block.values ?? {},
  });
  const expressions = ({ block }: (typeof parts)[number]): unknown => ({
    ...Object.fromEntries(Object.keys(block.values ?? {}).map((k) => [k, { constant_value: block.values?.[k] }])),
    ...Object.fromEntries(Object.entries(block.refs ?? {}).map(([k, references]) => [k, { references }])),
  });
  const blocksOf = (module: string): unknown[] => {
    const own = parts.filter((p) => p.module === module);
    return own
      .filter((p, i) => own.findIndex((q) => q.type === p.type && q.name === p.name) === i)
      .map((p) => ({
        address: `${p.type}.${p.name}`,
        mode: "managed",
        type: p.type,
        name: p.name,
        expressions: expressions(p),
      }));
  };
  const inside = parts.filter((p) => p.module !== "");
  return {
    format_version: "1.2",
    terraform_version: "1.11.4",
    planned_values: {
      root_module: {
        resources: parts.filter((p) => p.module === "").map(resource),
        ...(inside.length === 0 ? {} : { child_modules: [{ address: "module.net", resources: inside.map(resource) }] }),
      },
    },
    resource_changes: parts.map(({ block }) => ({
      address: block.at,
      change: {
        actions: block.actions ?? ["create"],
        after: block.values ?? {},
        after_unknown: { ...Object.fromEntries(Object.keys(block.refs ?? {}).map((k) => [k, true])), ...block.unknown },
      },
    })),
    configuration: {
      root_module: {
        resources: blocksOf(""),
        ...(inside.length === 0
          ? {}
          : { module_calls: { net: { expressions: {}, module: { resources: blocksOf("module.net."), ...calls } } } }),
      },
    },
    ...more,
  };
}

export const id = (name: string): readonly string[] => [`${name}.id`, name];

/** The blocks that tell the VPC of `world.ts`, machines without a public address. */
export function blocks(tweaks: Readonly<Record<string, Partial<Block> | null>> = {}): Block[] {
  const base: Block[] = [
    { at: "aws_vpc.main", values: { cidr_block: "10.0.0.0/16" }, unknown: { id: true } },
    {
      at: "aws_subnet.a",
      values: { cidr_block: "10.0.0.0/24", availability_zone: "za" },
      refs: { vpc_id: id("aws_vpc.main") },
    },
    {
      at: "aws_subnet.b",
      values: { cidr_block: "10.0.1.0/24", availability_zone: "za" },
      refs: { vpc_id: id("aws_vpc.main") },
    },
    { at: "aws_security_group.one", values: { name: "one", egress: [rule()] }, refs: { vpc_id: id("aws_vpc.main") } },
    {
      at: "aws_security_group.two",
      values: { name: "two", ingress: [rule({ protocol: "tcp", from_port: 443, to_port: 443 })], egress: [] },
      refs: { vpc_id: id("aws_vpc.main") },
    },
    {
      at: "aws_instance.i1",
      values: { private_ip: "10.0.0.10", associate_public_ip_address: false },
      refs: { subnet_id: id("aws_subnet.a"), vpc_security_group_ids: id("aws_security_group.one") },
    },
    {
      at: "aws_instance.i2",
      values: { private_ip: "10.0.1.10", associate_public_ip_address: false },
      refs: { subnet_id: id("aws_subnet.b"), vpc_security_group_ids: id("aws_security_group.two") },
    },
  ];
  const out = base.flatMap((block): Block[] => {
    const tweak = tweaks[block.at];
    return tweak === null ? [] : [{ ...block, ...tweak }];
  });
  for (const [at, tweak] of Object.entries(tweaks))
    if (tweak !== null && !base.some((b) => b.at === at)) out.push({ ...tweak, at });
  return out;
}

export function rule(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    protocol: "-1",
    from_port: 0,
    to_port: 0,
    cidr_blocks: ["0.0.0.0/0"],
    ipv6_cidr_blocks: [],
    prefix_list_ids: [],
    security_groups: [],
    self: false,
    ...more,
  };
}
