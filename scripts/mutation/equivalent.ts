/** Mutants that change nothing that anybody could see, each with the reason; they do not count. */
export const EQUIVALENT: readonly { readonly file: string; readonly change: string; readonly why: string }[] = [];
