// Counts in words, and how many of them a page lists.
export const LISTED = 100;

/** A number and its noun. */
export const many = (count, one, others = `${one}s`) => `${count} ${count === 1 ? one : others}`;
