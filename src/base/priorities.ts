/**
 * What is let pass where not all can be: higher ones longer. A priority is its position here; it comes from the
 * configuration (routes, plans), never from what a client sends.
 */
export const PRIORITIES = ["low", "normal", "high", "critical"] as const;

export type PriorityName = (typeof PRIORITIES)[number];

export const PRIORITY_NORMAL = 1;
