import type { Question } from '../api/types.ts';

export type Sample = Question['samples'][number];
