/** Property tests draw the same values in every run; one that names a seed of its own keeps it. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["BULKHEAD_SEED"] ?? 20_261_125) });
