/** How a text report is coloured: the writer says what a piece of text means, the terminal decides how that looks. */

/** What a piece of text means. */
export type Tone = "allow" | "deny" | "unsure" | "strong" | "faint" | "changed";

/** Dresses a piece of text for its tone; the text itself stays as it is. */
export type Style = (tone: Tone, text: string) => string;

/** No colour: for pipes, files and tests. */
export const PLAIN: Style = (_tone, text) => text;
