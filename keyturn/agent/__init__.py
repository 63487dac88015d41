"""A process beside a program in any language, which holds its client's secret and hands out tokens."""
