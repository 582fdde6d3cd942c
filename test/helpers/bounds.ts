/** Bounds of the work so low that a file of 2 MB takes every turn that one of 2 GB takes. */
export const lowBounds = { chunkRecords: 5_000, ownTableBytes: 1_000_000, partRecords: 5_000 } as const
