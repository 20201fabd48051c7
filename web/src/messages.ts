/** Every word of the page, in English and in Korean. The type of one is the type of the other: none can be forgotten. */
import { en } from './messages/en.ts';
import { ko } from './messages/ko.ts';

export type { Messages } from './messages/en.ts';
export const MESSAGES = { en, ko };
