/** The API's types by their own names; all of them come from openapi.json. */
import type { components } from './schema.ts';

type Schemas = components['schemas'];

export type Account = Schemas['AccountBody'];
export type Problem = Schemas['Problem'];
export type SignIn = Schemas['SignInBody'];
export type ListedQuestion = Schemas['ListedQuestion'];
export type QuestionPage = Schemas['QuestionPage'];
export type Question = Schemas['Question'];
export type QuestionDocument = Schemas['QuestionDocument'];
export type QuestionTest = Schemas['QuestionTest'];
export type Checker = Schemas['Checker'];
export type TestGroup = Schemas['TestGroup'];
export type Solution = Schemas['QuestionSolution'];
export type LanguageId = Schemas['Language'];
export type InstalledLanguage = Schemas['InstalledLanguage'];
export type Verdict = Schemas['Verdict'];
/** What is told of samples only is absent elsewhere. */
export type TestResult = Omit<Schemas['TestResult'], keyof Schemas['TestDetail']> & Partial<Schemas['TestDetail']>;
export type RunOutput = Schemas['RunOutput'];
export type FinalVerdict = Schemas['FinalVerdict'];
export type Finding = Schemas['Finding'];
export type ReviewDone = Schemas['ReviewDone'];
export type Compiled = Schemas['Compiled'];
export type Failed = Schemas['Failed'];
export type LimitHit = Schemas['LimitHit'];
export type Submission = Schemas['SubmissionSummary'];
export type SubmissionPage = Schemas['SubmissionPage'];
export type Accepted = Schemas['AcceptedView'];
export type Code = Schemas['CodeView'];
export type EventBody = Schemas['EventBody'];
export type Locale = Schemas['Locale'];
export type Role = Schemas['Role'];
export type AccountPage = Schemas['AccountList'];
export type ResetCode = Schemas['CodeBody'];
export type Imported = Schemas['Imported'];
export type ApiToken = Schemas['TokenBody'];
export type MadeToken = Schemas['MadeToken'];
export type Scope = Schemas['Scope'];
export type QuestionHistory = Schemas['QuestionHistory'];
export type Batch = Schemas['Batch'];
export type ImportedQuestion = Schemas['ImportedQuestion'];
