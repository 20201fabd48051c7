// Made by `npm run types` from openapi.json: not to be changed by hand.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The receipt of a submission. */
        Accepted: {
            /**
             * Format: date-time
             * @description The time that counts.
             */
            accepted_at: string;
            /** @description The code's language. */
            language: components["schemas"]["Language"];
            question?: components["schemas"]["QuestionId"] | null;
            /** @description Its id. */
            submission: components["schemas"]["SubmissionId"];
            /**
             * Format: int32
             * @description The question's version that judges it.
             */
            version?: number | null;
        };
        /** @description The answer to what was accepted. */
        AcceptedView: {
            /**
             * Format: date-time
             * @description The time that counts.
             */
            accepted_at: string;
            /** @description Its id. */
            id: components["schemas"]["SubmissionId"];
            /** @description Where to go on. */
            links: components["schemas"]["Links"];
            /** @description How far it has come: it has just been accepted. */
            status: components["schemas"]["Status"];
        };
        /** @description An account, as its owner and admins see it. */
        AccountBody: {
            /** Format: date-time */
            created_at: string;
            email: string;
            id: components["schemas"]["AccountId"];
            locale: components["schemas"]["Locale"];
            /** @description The name that others see. */
            name: string;
            role: components["schemas"]["Role"];
            /** @description Whether it may not be used. */
            suspended: boolean;
        };
        /**
         * Format: uuid
         * @description A learner, teacher or admin.
         */
        AccountId: string;
        /** @description A page of accounts. */
        AccountList: {
            items: components["schemas"]["AccountBody"][];
            /** @description For the next page; `null` on the last. */
            next_cursor?: string | null;
        };
        /** @description A batch. */
        Batch: {
            /** @description Who began it. */
            account: components["schemas"]["BatchAccount"];
            /**
             * Format: int64
             * @description How many verdicts or scores are others than before.
             */
            changed: number;
            /** @description What would change, or has, the first thousand; empty for a verification. */
            changes: components["schemas"]["BatchChange"][];
            /**
             * Format: date-time
             * @description When it was begun.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was applied or discarded.
             */
            decided_at?: string | null;
            /**
             * Format: int64
             * @description How many ended without a verdict.
             */
            failed: number;
            /** @description Its id. */
            id: components["schemas"]["BatchId"];
            /**
             * Format: int64
             * @description How many of them are over.
             */
            judged: number;
            /** @description `rejudge` or `verification`. */
            kind: string;
            /** @description Where more is found. */
            links: components["schemas"]["BatchLinks"];
            /** @description The question. */
            question: components["schemas"]["BatchQuestion"];
            /** @description What came of each solution; of a verification only. */
            solutions?: components["schemas"]["SolutionOutcome"][] | null;
            /** @description `judging`, `judged`, `applied` or `discarded`. */
            status: string;
            /**
             * Format: int64
             * @description How many judgements belong to it.
             */
            total: number;
            /**
             * Format: int32
             * @description The version that judges; of a verification the one that the draft would become.
             */
            version: number;
        };
        /** @description Whose. */
        BatchAccount: {
            /** @description The account. */
            id: components["schemas"]["AccountId"];
            /** @description The name that others see. */
            name: string;
        };
        /** @description A verdict that changes. */
        BatchChange: {
            /** @description Whose. */
            account: components["schemas"]["BatchAccount"];
            /** @description What was proposed. */
            after: components["schemas"]["BatchVerdict"];
            /** @description What counted. */
            before: components["schemas"]["BatchVerdict"];
            /**
             * Format: int32
             * @description The judgement that is proposed.
             */
            judgement: number;
            /** @description Of which submission. */
            submission: components["schemas"]["SubmissionId"];
        };
        /**
         * Format: uuid
         * @description Many judgements that belong together: a rejudge, or a verification.
         */
        BatchId: string;
        /** @description Where more is found. */
        BatchLinks: {
            /** @description Its stream of events (SSE). */
            events: string;
            /** @description This. */
            self: string;
        };
        /** @description The question of a batch. */
        BatchQuestion: {
            /** @description Its id. */
            id: components["schemas"]["QuestionId"];
            /** @description Its name in addresses. */
            slug: string;
            /** @description Its title, in the reader's language if it is known. */
            title: string;
        };
        /** @description A verdict with its score. */
        BatchVerdict: {
            /**
             * Format: double
             * @description `null` where there was none.
             */
            score?: number | null;
            verdict?: components["schemas"]["Verdict"] | null;
        };
        /** @description The answer to a wish to cancel. */
        CancelView: {
            /** @description The submission. */
            id: components["schemas"]["SubmissionId"];
            /** @description How far it had come: the end follows in its stream. */
            status: components["schemas"]["Status"];
        };
        /** @description What to change; what is absent stays. */
        ChangeAccount: {
            role?: components["schemas"]["Role"] | null;
            /** @description Whether it may not be used; ends its sign-ins. */
            suspended?: boolean | null;
        };
        /** @description What to change; what is absent stays. */
        ChangeMe: {
            /** @description The password so far; needed for a new one. */
            current_password?: string | null;
            /** @description `ko` or `en`. */
            locale?: string | null;
            /** @description The name that others see. */
            name?: string | null;
            /** @description A new password, 8 to 256 characters; ends all other sign-ins. */
            password?: string | null;
        };
        /** @description How an answer is compared with the expected one. */
        Checker: {
            /** @description Whether `Yes` and `yes` differ. */
            case_sensitive?: boolean;
            /** @enum {string} */
            kind: "tokens";
        } | {
            /** @enum {string} */
            kind: "lines";
        } | {
            /** @enum {string} */
            kind: "exact";
        } | {
            /**
             * Format: double
             * @description Largest absolute difference.
             */
            abs?: number;
            /** @enum {string} */
            kind: "float";
            /**
             * Format: double
             * @description Largest difference as a share of the expected value.
             */
            rel?: number;
        } | {
            /** @enum {string} */
            kind: "unordered";
        } | {
            /** @description Arguments behind the protocol's own, for every test. */
            args?: string[];
            /** @description Its files, the main one first, at most 1 MiB together. */
            files: components["schemas"]["SourceFile"][];
            /** @description Whether it talks with the learner's program while that runs: each one's output is the other's input. */
            interactive?: boolean;
            /** @enum {string} */
            kind: "program";
            /** @description What it is written in. */
            language: components["schemas"]["Language"];
            /**
             * Format: int32
             * @description How often the learner's program may be run on one test: more than once where the checker writes `nextpass.in`.
             */
            passes?: number;
            /** @description How it is called and answers. */
            protocol?: components["schemas"]["CheckerProtocol"];
        };
        /**
         * @description How a checker program is called and how it answers.
         * @enum {string}
         */
        CheckerProtocol: "kattis" | "testlib";
        /** @description A one-time code. */
        CodeBody: {
            /** @description For `POST /api/v1/auth/reset`; it is not shown again. */
            code: string;
            /** Format: date-time */
            expires_at: string;
        };
        /** @description What was handed in. */
        CodeView: {
            /** @description The files as stored, the main one first. */
            files: components["schemas"]["SourceFile"][];
            /** @description The submission. */
            id: components["schemas"]["SubmissionId"];
            /** @description The code's language. */
            language: components["schemas"]["Language"];
        };
        /** @description What the compiler said. */
        Compiled: {
            /** @description Whether it was compiled before. */
            cached: boolean;
            /** @description The compiler's messages, cut to 64 KiB; lines of the learner's file read `<solution>:line`. */
            log: string;
            /** @description Whether there is a program. */
            ok: boolean;
            /**
             * Format: int64
             * @description Time on the clock, in milliseconds.
             */
            time_ms: number;
        };
        /** @description Growth with the size of the input. */
        Complexity: {
            /** @description Of space. */
            space: string;
            /** @description Of time. */
            time: string;
        };
        /** @description A page of dead letters. */
        DeadLetterPage: {
            /** @description The newest first. */
            items: components["schemas"]["DeadLetterView"][];
            /** @description `null` on the last page. */
            next_cursor?: string | null;
        };
        /** @description A dead letter. */
        DeadLetterView: {
            /**
             * Format: date-time
             * @description When it was kept.
             */
            arrived_at: string;
            /**
             * Format: int32
             * @description How often it was tried.
             */
            attempt: number;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * Format: int32
             * @description Which judging of it.
             */
            judgement?: number | null;
            /** @description What the message was: `judge-job`, `review-job`, `stream-event`, or what could not be read. */
            kind: string;
            /** @description The topic that it was to be processed from, where that is known. */
            origin?: string | null;
            /** @description Why it could not be. */
            reason: string;
            submission?: components["schemas"]["SubmissionId"] | null;
        };
        /** @description Where an answer first differs from the expected one. */
        Difference: {
            /**
             * Format: int64
             * @description Column in characters, from 1.
             */
            column: number;
            /** @description What was expected there; empty at the end of the output. */
            expected: string;
            /** @description What was there; empty at the end of the output. */
            got: string;
            /**
             * Format: int64
             * @description Line of the output, from 1.
             */
            line: number;
        };
        /** @description Nothing more to say. */
        Done: Record<string, never>;
        /** @description What happened, with its data: the SSE event's name and its `data:`. */
        EventBody: {
            /** @description The receipt. */
            data: components["schemas"]["Accepted"];
            /** @enum {string} */
            event: "accepted";
        } | {
            /** @description A worker began; a client that sees it again begins its list of tests anew. */
            data: components["schemas"]["JudgingStarted"];
            /** @enum {string} */
            event: "judging";
        } | {
            /** @description The code was compiled, or was not. */
            data: components["schemas"]["Compiled"];
            /** @enum {string} */
            event: "compiled";
        } | {
            /** @description One test was judged. */
            data: components["schemas"]["TestResult"];
            /** @enum {string} */
            event: "test";
        } | {
            /** @description One run ended. */
            data: components["schemas"]["RunOutput"];
            /** @enum {string} */
            event: "output";
        } | {
            /** @description The submission's verdict. */
            data: components["schemas"]["FinalVerdict"];
            /** @enum {string} */
            event: "verdict";
        } | {
            /** @description A review began; a client that sees it again begins the review anew. */
            data: components["schemas"]["ReviewStarted"];
            /** @enum {string} */
            event: "review.started";
        } | {
            /** @description One remark of the review. */
            data: components["schemas"]["Finding"];
            /** @enum {string} */
            event: "review.finding";
        } | {
            /** @description The review is whole. */
            data: components["schemas"]["ReviewDone"];
            /** @enum {string} */
            event: "review.done";
        } | {
            /** @description There is no review. */
            data: components["schemas"]["ReviewSkipped"];
            /** @enum {string} */
            event: "review.skipped";
        } | {
            /** @description The end, all being well. */
            data: components["schemas"]["Done"];
            /** @enum {string} */
            event: "done";
        } | {
            /** @description The end before any verdict: ours or the owner's doing, never the code's. */
            data: components["schemas"]["Failed"];
            /** @enum {string} */
            event: "failed";
        };
        /** @description Why a submission ended without a verdict. */
        Failed: {
            /** @description What to do, for people. */
            message: string;
            /** @description A stable word: `deadline`, `retries`, `cancelled`, `unsupported_language`, `internal`. */
            reason: string;
            /** @description Whether submitting it again may help. */
            retryable: boolean;
        };
        /** @description Whose. */
        FeedAccount: {
            /**
             * Format: uuid
             * @description The account.
             */
            id: string;
            /** @description The name that others see. */
            name: string;
        };
        /**
         * @description How much the learner is told of hidden tests.
         * @enum {string}
         */
        Feedback: "full" | "samples" | "none";
        /** @description One result. A submission that was judged anew comes again once the new verdict counts. */
        FeedLine: {
            /**
             * Format: date-time
             * @description The time that counts.
             */
            accepted_at: string;
            /** @description Whose. */
            account: components["schemas"]["FeedAccount"];
            /** @description Why it ended without a verdict, in a word. */
            failure_reason?: string | null;
            /**
             * Format: date-time
             * @description When everything was there.
             */
            finished_at: string;
            /**
             * Format: int32
             * @description Which judging of it.
             */
            judgement: number;
            /** @description The code's language. */
            language: components["schemas"]["Language"];
            /**
             * Format: double
             * @description Points that could be reached.
             */
            max_score?: number | null;
            /**
             * Format: int64
             * @description The largest peak memory of a test, in kibibytes.
             */
            memory_kib?: number | null;
            /** @description Where to go on from. */
            position: string;
            /** @description To which question. */
            question: components["schemas"]["FeedQuestion"];
            /**
             * Format: double
             * @description Points reached.
             */
            score?: number | null;
            /**
             * Format: uuid
             * @description The submission.
             */
            submission: string;
            /**
             * Format: int64
             * @description The largest processor time of a test, in milliseconds.
             */
            time_ms?: number | null;
            verdict?: components["schemas"]["Verdict"] | null;
            /**
             * Format: int32
             * @description The version that judged.
             */
            version?: number | null;
        };
        /** @description To which question. */
        FeedQuestion: {
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description Its name in addresses. */
            slug: string;
        };
        /** @description One thing wrong in what was sent. */
        FieldError: {
            /** @description What kind of wrong, stable. */
            code: string;
            /** @description For people. */
            message: string;
            /** @description Where: a JSON pointer into the body, or the name of a query parameter behind a slash. */
            pointer: string;
        };
        /** @description The verdict of a submission. */
        FinalVerdict: {
            /** @description Points of each group, where there are groups. */
            groups?: components["schemas"]["GroupResult"][] | null;
            /**
             * Format: double
             * @description Points that could be reached.
             */
            max_score: number;
            /**
             * Format: int64
             * @description The largest peak memory of a test, in kibibytes.
             */
            memory_kib: number;
            /**
             * Format: int32
             * @description Tests passed.
             */
            passed: number;
            /**
             * Format: double
             * @description Points reached.
             */
            score: number;
            /**
             * Format: int64
             * @description The largest processor time of a test, in milliseconds.
             */
            time_ms: number;
            /**
             * Format: int32
             * @description Tests there are.
             */
            total: number;
            /** @description That of the lowest-numbered test that is not accepted. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description One remark on lines of the learner's code. */
        Finding: {
            /** @description What it is about. */
            kind: components["schemas"]["FindingKind"];
            /**
             * Format: int32
             * @description Last line, not before the first.
             */
            line_end: number;
            /**
             * Format: int32
             * @description First line, from 1.
             */
            line_start: number;
            /** @description A hint in the learner's language; never a solution. */
            message: string;
            /** @description How much it matters. */
            severity: components["schemas"]["Severity"];
        };
        /**
         * @description What a remark is about.
         * @enum {string}
         */
        FindingKind: "bug" | "edge_case" | "complexity" | "readability" | "style" | "praise";
        /** @description What became of a group of tests. */
        GroupResult: {
            /**
             * Format: double
             * @description Points that could be reached.
             */
            max_score: number;
            /** @description The group's name. */
            name: string;
            /**
             * Format: double
             * @description Points reached.
             */
            score: number;
            /** @description That of its lowest-numbered test that is not accepted. */
            verdict: components["schemas"]["Verdict"];
        };
        /**
         * @description How the scores of a group's tests become its own.
         * @enum {string}
         */
        GroupScore: "sum" | "min";
        /** @description What became of the list. */
        Imported: {
            /** @description Accounts made now, in the order of the list. */
            created: components["schemas"]["ImportedAccount"][];
            /** @description Addresses that had an account: it is left as it was. */
            existing: string[];
        };
        /** @description An account made from a line. */
        ImportedAccount: {
            /** @description For `POST /api/v1/auth/reset`, good for 14 days; it is not shown again. */
            code: string;
            email: string;
            id: components["schemas"]["AccountId"];
        };
        /** @description A draft made of a package. */
        ImportedQuestion: {
            /** @description The draft's id. */
            id: string;
            /** @description Its readable name in addresses. */
            slug: string;
            /** @description Tests taken over. */
            tests: number;
            /** @description All of the package that is not used, or not as it was there. */
            warnings: components["schemas"]["ImportWarning"][];
        };
        /** @description Something of a package that a teacher should know of. */
        ImportWarning: {
            /** @description What it is about. */
            message: string;
            /**
             * @description The file, and the field or line in it.
             * @example problem.yaml: limits.code
             */
            place: string;
        };
        /** @description What the runners have of a language: an entry of `GET /languages`. */
        InstalledLanguage: {
            /** @description How code is compiled, for people to read; `null` where nothing is. */
            compile?: string | null;
            /** @description File extensions without the dot, the usual one first. */
            extensions: string[];
            /** @description Its id. */
            id: components["schemas"]["Language"];
            /** @description Its name for people, such as `C++ 20`. */
            name: string;
            /** @description How the program is run, for people to read. */
            run: string;
            /** @description A small program that reads and writes, to begin from. */
            template: string;
            /** @description The toolchain's version, such as `gcc 12.2.0`. */
            version: string;
        };
        /** @description The body of `PUT /intake`. */
        IntakeBody: {
            /** @description What those are told who come while it is closed; at most 500 bytes. */
            message?: string;
            /** @description Whether submissions and runs are accepted. */
            open: boolean;
        };
        /** @description Whether anything is accepted, and what waits. */
        IntakeView: {
            /**
             * Format: date-time
             * @description When.
             */
            changed_at: string;
            /** @description Who changed it last. */
            changed_by: string;
            /** @description What they are told then. */
            message: string;
            /** @description False: submissions and runs are answered with 503. */
            open: boolean;
            /**
             * Format: int64
             * @description Submissions and runs that wait for a worker.
             */
            waiting: number;
            /**
             * Format: int64
             * @description How long the first of them has waited.
             */
            waiting_oldest_ms: number;
        };
        /** @description One judging of a submission. */
        JudgementView: {
            /**
             * Format: int32
             * @description From 1.
             */
            number: number;
            /** @description How far it has come. */
            status: components["schemas"]["Status"];
            verdict?: components["schemas"]["Verdict"] | null;
        };
        /**
         * @description Whether later tests are run after one has failed.
         * @enum {string}
         */
        JudgingMode: "full" | "lazy";
        /** @description The start of an attempt. */
        JudgingStarted: {
            /**
             * Format: int32
             * @description Which attempt, from 1.
             */
            attempt: number;
            /**
             * Format: int32
             * @description How many tests there are.
             */
            tests: number;
        };
        /** @description The public keys by name, as everybody may read them. */
        Jwks: {
            /** @description One for each key that may have signed a token which is still good. */
            keys: components["schemas"]["PublicKey"][];
        };
        /**
         * @description A language that code can be submitted in. Which ones the runners really have, they say themselves.
         * @enum {string}
         */
        Language: "c" | "cpp" | "java" | "python" | "pypy" | "javascript" | "typescript" | "go" | "rust" | "kotlin";
        /** @description The limit that ended a program. */
        LimitHit: {
            /** @description Which one. */
            kind: components["schemas"]["LimitKind"];
            /**
             * Format: int64
             * @description What was measured, in the same unit.
             */
            measured?: number | null;
            /**
             * Format: int64
             * @description The limit in force: milliseconds for times, kibibytes for sizes, a number for processes.
             */
            value: number;
        };
        /**
         * @description What can be limited.
         * @enum {string}
         */
        LimitKind: "cpu" | "wall" | "memory" | "output" | "processes" | "file_size";
        /** @description What one run of a learner's program may use. */
        Limits: {
            /**
             * Format: int32
             * @description Memory in kibibytes, 4,096 to 4,194,304.
             * @default 262144
             */
            memory_kib: number;
            /**
             * Format: int32
             * @description Standard output in kibibytes, 1 to 65,536.
             * @default 8192
             */
            output_kib: number;
            /**
             * Format: int32
             * @description Processor time in milliseconds, 1 to 60,000.
             * @default 2000
             */
            time_ms: number;
        };
        /** @description Where more is found. */
        Links: {
            /** @description Its stream of events (SSE). */
            events: string;
            /** @description This. */
            self: string;
        };
        /** @description A question in the list. */
        ListedQuestion: {
            /**
             * Format: int32
             * @description From 1, easy, to 10.
             */
            difficulty: number;
            /** @description Its id. */
            id: components["schemas"]["QuestionId"];
            /** @description Program or function. */
            kind: components["schemas"]["QuestionKind"];
            /** @description Ids of the languages that it may be answered in. */
            languages: components["schemas"]["Language"][];
            /** @description How far you have come with it: `none`, `attempted` or `solved`. */
            my_status: string;
            /** @description Its readable name in addresses. */
            slug: string;
            /** @description Draft, published or archived. */
            state: components["schemas"]["QuestionState"];
            /** @description To find it by. */
            tags: string[];
            /** @description The title in the language asked for, if there is one. */
            title: string;
        };
        /**
         * @description A language that people read: statements, messages and reviews come in it.
         * @enum {string}
         */
        Locale: "ko" | "en";
        /** @description Address and password. */
        Login: {
            /** @description The address, in any case. */
            email: string;
            /** @description The password. */
            password: string;
        };
        /** @description A token that was made now. */
        MadeToken: components["schemas"]["TokenBody"] & {
            /** @description `cm_pat_…`: keep it, it is not shown again. */
            token: string;
        };
        /** @description A token to be made. */
        MakeToken: {
            /**
             * Format: date-time
             * @description When it ends to be good; never when absent.
             */
            expires_at?: string | null;
            /** @description What it is for. */
            name: string;
            /** @description What it may do; `read` and `submit` when absent. */
            scopes?: components["schemas"]["Scope"][] | null;
        };
        /** @description A language that a question may be answered in. */
        OfferedLanguage: {
            /** @description Its id. */
            id: components["schemas"]["Language"];
            /** @description Its name. */
            name: string;
            /**
             * Format: double
             * @description What the time limit is multiplied by.
             */
            time_factor: number;
            /** @description The toolchain's version, as in `GET /languages`; `null` only until a runner has said it for the first time. */
            version?: string | null;
        };
        /** @description Whose a submission is. */
        Owner: {
            /** @description The account. */
            id: components["schemas"]["AccountId"];
            /** @description The name that others see. */
            name: string;
        };
        /** @description What the log says of one judgement. */
        Picture: {
            compiled?: components["schemas"]["Compiled"] | null;
            failure?: components["schemas"]["Failed"] | null;
            /** @description What a run wrote. */
            outputs?: components["schemas"]["RunOutput"][];
            result?: components["schemas"]["FinalVerdict"] | null;
            review?: components["schemas"]["Review"] | null;
            /** @description What became of each test, in the question's order. */
            tests?: components["schemas"]["TestResult"][];
        };
        /** @description An error, RFC 9457. */
        Problem: {
            /** @description What happened this time, and what to do. */
            detail?: string;
            /** @description Each thing that is wrong in what was sent. */
            errors?: components["schemas"]["FieldError"][];
            /** @description The path that was asked for. */
            instance?: string | null;
            /** @description To be named when asking an operator. */
            request_id?: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind, for people. */
            title?: string;
            /**
             * @description A URI that ends in the stable word for this kind of problem.
             * @example https://codementor.dev/problems/not-found
             */
            type: string;
        };
        /** @description One Ed25519 public key (RFC 8037). */
        PublicKey: {
            /** @description `EdDSA`. */
            alg: string;
            /** @description `Ed25519`. */
            crv: string;
            /** @description The key's name. */
            kid: string;
            /** @description `OKP`. */
            kty: string;
            /** @description `sig`. */
            use: string;
            /** @description The key, base64url. */
            x: string;
        };
        /** @description What was published. */
        PublishedVersion: {
            /** @description Whether it was published without proof. */
            unverified: boolean;
            /**
             * Format: int32
             * @description Its number, from 1.
             */
            version: number;
        };
        /** @description A question. */
        Question: {
            /**
             * Format: int32
             * @description From 1, easy, to 10.
             */
            difficulty: number;
            draft?: components["schemas"]["QuestionDocument"] | null;
            /** @description How much is told of hidden tests. */
            feedback: components["schemas"]["Feedback"];
            /** @description Its id. */
            id: components["schemas"]["QuestionId"];
            /** @description Program or function. */
            kind: components["schemas"]["QuestionKind"];
            /** @description The languages that it may be answered in. */
            languages: components["schemas"]["OfferedLanguage"][];
            /** @description Limits of one run, before the language's time factor. */
            limits: components["schemas"]["Limits"];
            /** @description The language of the statement: the one asked for if there is one. */
            locale: components["schemas"]["Locale"];
            /** @description The languages that the statement is written in. */
            locales: components["schemas"]["Locale"][];
            /**
             * Format: date-time
             * @description When that version was published.
             */
            published_at?: string | null;
            /** @description The tests that everybody may see. */
            samples: components["schemas"]["QuestionSample"][];
            /** @description Its readable name in addresses. */
            slug: string;
            /** @description Draft, published or archived. */
            state: components["schemas"]["QuestionState"];
            /** @description The statement in Markdown. */
            statement: string;
            /** @description The statement as HTML, sanitised. */
            statement_html: string;
            /** @description To find it by. */
            tags: string[];
            /** @description The title. */
            title: string;
            verification?: components["schemas"]["QuestionVerification"] | null;
            /**
             * Format: int32
             * @description The version shown, from 1; absent while it is a draft.
             */
            version?: number | null;
        };
        /** @description One change. */
        QuestionChange: {
            /** @description Who. */
            account: components["schemas"]["AccountId"];
            /** @description The name they had. */
            account_name: string;
            /** @description `created`, `cloned`, `changed`, `tests_changed`, `teachers_changed`, `published`, `archived` or `restored`. */
            action: string;
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description What exactly: JSON pointers under `changed`, the number under `version`. */
            detail: unknown;
            /**
             * Format: int64
             * @description The revision that came out of it.
             */
            revision: number;
        };
        /** @description How to copy. */
        QuestionClone: {
            /** @description The copy's slug; made of the original's if absent. */
            slug?: string | null;
        };
        /** @description Code in JSON. */
        QuestionCode: {
            /** @description Its text, at most 64 KiB. */
            code: string;
        };
        /** @description A whole question. */
        QuestionDocument: {
            /** @description How answers are compared. */
            checker?: components["schemas"]["Checker"];
            /**
             * Format: int32
             * @description From 1, easy, to 10.
             */
            difficulty: number;
            /** @description How much the learner is told of hidden tests. */
            feedback?: components["schemas"]["Feedback"];
            /**
             * @description What groups of tests are worth, and on which others they depend; a group that is not named here has the sum of its
             *     tests' points.
             */
            groups?: components["schemas"]["TestGroup"][];
            /** @description Whether tests after the first failure are run. */
            judging?: components["schemas"]["JudgingMode"];
            /** @description Program or function. */
            kind: components["schemas"]["QuestionKind"];
            /** @description What each language adds, by its id. */
            languages?: {
                [key: string]: components["schemas"]["QuestionLanguage"];
            };
            /** @description What one run may use, before the language's time factor. */
            limits?: components["schemas"]["Limits"];
            /**
             * @description Its readable name in addresses: 1 to 80 of `a-z 0-9 -`. Fixed once published.
             * @example two-sum
             */
            slug: string;
            /** @description Programs whose verdict is known. Learners never see them. */
            solutions?: components["schemas"]["QuestionSolution"][];
            /** @description Its statement by language, in Markdown, at most 256 KiB each. */
            statements: components["schemas"]["QuestionTexts"];
            /** @description At most 20, to find it by. */
            tags?: string[];
            /** @description At most 5,000, judged in this order. `None` where the document does not speak of them. */
            tests?: components["schemas"]["QuestionTest"][] | null;
            /** @description Its title by language. */
            titles: components["schemas"]["QuestionTexts"];
        };
        /** @description Who changed what. */
        QuestionHistory: {
            /** @description The newest first. */
            items: components["schemas"]["QuestionChange"][];
            /** @description `null` on the last page. */
            next_cursor?: string | null;
        };
        /**
         * Format: uuid
         * @description A problem, whatever its version.
         */
        QuestionId: string;
        /**
         * @description Whether a question asks for a program or for a function.
         * @enum {string}
         */
        QuestionKind: "stdio" | "function";
        /** @description What a question says of one language. */
        QuestionLanguage: {
            /** @description The code around the learner's, at most 64 KiB: holds one line `{{code}}`, or imports the module `solution`. */
            driver?: string | null;
            /** @description What the learner begins with, at most 64 KiB. */
            starter?: string | null;
            /**
             * Format: double
             * @description What the time limit is multiplied by, 0.1 to 20; the language's usual factor if absent.
             */
            time_factor?: number | null;
        };
        /** @description A page of the list. */
        QuestionPage: {
            /** @description The oldest first. */
            items: components["schemas"]["ListedQuestion"][];
            /** @description `null` on the last page. */
            next_cursor?: string | null;
        };
        /** @description A test that everybody may see. */
        QuestionSample: {
            /** @description What the program reads. */
            input: string;
            /** @description Its name. */
            name: string;
            /** @description What it should write. */
            output: string;
        };
        /** @description A program whose verdict is known. */
        QuestionSolution: {
            /** @description Its text, at most 64 KiB. */
            code: string;
            /** @description What judging it must say. */
            expect?: components["schemas"]["Verdict"];
            /** @description What it is written in. */
            language: components["schemas"]["Language"];
        };
        /**
         * @description In which state a question is.
         * @enum {string}
         */
        QuestionState: "draft" | "published" | "archived";
        /** @description The accounts that may change a question, beside admins. */
        QuestionTeachers: {
            /** @description 1 to 50 ids of accounts. They must be teachers to make use of it. */
            teachers: components["schemas"]["AccountId"][];
        };
        /** @description One test as it is sent and shown. */
        QuestionTest: {
            /** @description The group that it belongs to, named like a test. */
            group?: string | null;
            /** @description What the program reads. Left out when sent: what the test of that name has stays. */
            input?: string | null;
            /** @description SHA-256 of the input. Shown only: ignored when sent. */
            input_sha256?: string | null;
            /**
             * Format: int64
             * @description Bytes of the input. Shown only: ignored when sent.
             */
            input_size?: number | null;
            /**
             * @description Unique within the question: 1 to 64 of `A-Z a-z 0-9 . _ -`.
             * @example 01
             */
            name: string;
            /** @description What it should write. Left out when sent: what the test of that name has stays. */
            output?: string | null;
            /** @description SHA-256 of the output. Shown only: ignored when sent. */
            output_sha256?: string | null;
            /**
             * Format: int64
             * @description Bytes of the output. Shown only: ignored when sent.
             */
            output_size?: number | null;
            /**
             * Format: double
             * @description What it is worth, 0 to 1,000,000; where no test has points, each counts one.
             */
            points?: number | null;
            /** @description Whether learners may see it. */
            sample?: boolean;
        };
        /** @description A test as a form. Parts that are left out stay as they are in the present test of that name. */
        QuestionTestForm: {
            /** @description The group's name. */
            group?: string | null;
            /**
             * Format: binary
             * @description A file, at most 64 MiB.
             */
            input?: string | null;
            /**
             * Format: binary
             * @description A file, at most 64 MiB.
             */
            output?: string | null;
            /**
             * Format: double
             * @description A number.
             */
            points?: number | null;
            /** @description `true` or `false`. */
            sample?: boolean | null;
        };
        /** @description A question's tests. */
        QuestionTests: {
            /** @description In the order in which they are judged. */
            items: components["schemas"]["QuestionTest"][];
        };
        /** @description A text in the languages that it was written in; at least one. */
        QuestionTexts: {
            /** @description English. */
            en?: string | null;
            /** @description Korean. */
            ko?: string | null;
        };
        /** @description How the proof of a draft stands. */
        QuestionVerification: {
            /**
             * Format: date-time
             * @description When it was begun.
             */
            created_at: string;
            /** @description Whether the draft is judged as it was then: a proof of something else proves nothing. */
            current: boolean;
            /** @description The batch. */
            id: components["schemas"]["BatchId"];
            /** @description What came of each solution, test by test; empty while it is `running`. */
            solutions: components["schemas"]["SolutionOutcome"][];
            /** @description Whether every solution got the verdict that it is stored with. */
            state: components["schemas"]["VerificationState"];
        };
        /** @description The question that was answered. */
        QuestionView: {
            /** @description Its id. */
            id: components["schemas"]["QuestionId"];
            /** @description Its name in addresses. */
            slug: string;
            /** @description Its title, in the reader's language if it is known. */
            title: string;
        };
        /** @description A new account. */
        Register: {
            /** @description The address to sign in with. */
            email: string;
            /** @description `ko` or `en`; `en` when absent. */
            locale?: string | null;
            /** @description The name that others see. */
            name: string;
            /** @description 8 to 256 characters. */
            password: string;
        };
        /** @description Which submissions: those for which all that is named holds. */
        RejudgeFilter: {
            account?: components["schemas"]["AccountId"] | null;
            /**
             * Format: date-time
             * @description Accepted at this time or later.
             */
            from?: string | null;
            /** @description In this language, or one of these. */
            language?: components["schemas"]["Language"][] | null;
            /** @description These ones. */
            submissions?: string[] | null;
            /**
             * Format: date-time
             * @description Accepted before this time.
             */
            to?: string | null;
            /** @description With this verdict, or one of these. */
            verdict?: components["schemas"]["Verdict"][] | null;
        };
        /** @description What to judge anew. */
        RejudgeRequest: {
            filter?: components["schemas"]["RejudgeFilter"] | null;
            /** @description A question of yours: its id or slug. */
            question: string;
        };
        /** @description A one-time code and the password to set. */
        Reset: {
            /** @description As it was shown, in any case, with or without dashes. */
            code: string;
            /** @description The new password, 8 to 256 characters. */
            password: string;
        };
        /** @description A review, as far as it has come. */
        Review: {
            conclusion?: components["schemas"]["ReviewDone"] | null;
            /** @description Remarks on lines of the code. */
            findings: components["schemas"]["Finding"][];
            /** @description The model's name. */
            model?: string | null;
            /** @description `builtin` for our own rules, `openai` for a language model; absent where no review began. */
            reviewer?: string | null;
            /** @description Why there is none. */
            skipped?: string | null;
        };
        /** @description The review as a whole. */
        ReviewDone: {
            complexity?: components["schemas"]["Complexity"] | null;
            /**
             * Format: int32
             * @description How many remarks there were.
             */
            findings: number;
            /** @description What to try next. */
            next_step?: string | null;
            /** @description A few sentences in the learner's language. */
            summary: string;
            tokens?: components["schemas"]["Tokens"] | null;
        };
        /** @description Why there is no review. */
        ReviewSkipped: {
            /** @description A stable word: `off`, `unavailable`, `timeout`, `refused`, `invalid_answer`, `interrupted`, `budget`, `deadline`, `retries`, `cancelled`. */
            reason: string;
        };
        /** @description Who reviews. */
        ReviewStarted: {
            /** @description The model's name. */
            model?: string | null;
            /** @description `builtin` for our own rules, `openai` for a language model. */
            reviewer: string;
        };
        /**
         * @description What a person may do; each role may do all that the ones before it may.
         * @enum {string}
         */
        Role: "learner" | "teacher" | "admin";
        /** @description The body of `POST /runs`: on input of one's own, or on a question's samples. */
        RunBody: {
            /** @description The code, at most 64 KiB. */
            code?: string | null;
            /** @description The code in several files, together at most 64 KiB. */
            files?: components["schemas"]["SourceFile"][] | null;
            /** @description The language of the code. */
            language: components["schemas"]["Language"];
            /** @description The question whose limits and driver are used; its id or slug. */
            question?: string | null;
            /** @description Run on the question's samples in place of `stdin`. */
            samples?: boolean;
            /** @description What the program reads, at most 64 KiB; for a function question one JSON value a line, a parameter each. */
            stdin?: string | null;
        };
        /** @description What a run wrote. */
        RunOutput: {
            /**
             * Format: int32
             * @description The code that it ended with; absent when a signal or a limit ended it.
             */
            exit_code?: number | null;
            /**
             * Format: int32
             * @description The sample that was run, from 1; absent with own input.
             */
            index?: number | null;
            limit?: components["schemas"]["LimitHit"] | null;
            /**
             * Format: int64
             * @description Peak memory in kibibytes.
             */
            memory_kib: number;
            result?: components["schemas"]["String"] | null;
            /** @description The signal that ended it, by name. */
            signal?: string | null;
            /** @description Its standard error, cut at 64 KiB. */
            stderr: components["schemas"]["String"];
            /** @description What it wrote, cut at 64 KiB. */
            stdout: components["schemas"]["String"];
            /**
             * Format: int64
             * @description Processor time in milliseconds.
             */
            time_ms: number;
            verdict?: components["schemas"]["Verdict"] | null;
        };
        /**
         * @description One thing that a token may do.
         * @enum {string}
         */
        Scope: "read" | "submit" | "questions" | "admin";
        /** @description An event of a stream, as the wire has it. */
        ServerSentEvent: {
            /** @description JSON on one line: what `EventBody` has as `data` beside this name. */
            data: string;
            /** @description Its name. */
            event: string;
            /** @description Where to go on from, as `Last-Event-ID`; absent where it is not replayed (`queued`). */
            id?: string | null;
        };
        /**
         * @description How much a remark matters.
         * @enum {string}
         */
        Severity: "essential" | "actionable" | "informative";
        /** @description An access token; the refresh token is in the cookie. */
        SignInBody: {
            /** @description To be sent as `Authorization: Bearer …`. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds.
             */
            expires_in: number;
            /** @description `Bearer`. */
            token_type: string;
        };
        /** @description What came of one solution. */
        SolutionOutcome: {
            /** @description What the compiler said, where there is no program. */
            compiler?: string | null;
            /** @description What judging it must say. */
            expect: components["schemas"]["Verdict"];
            /** @description Why it ended without a verdict, in a word. */
            failure?: string | null;
            /** @description What it is written in. */
            language: components["schemas"]["Language"];
            /**
             * Format: int32
             * @description Its place among the question's solutions, from 1.
             */
            solution: number;
            /** @description Test by test, as far as they were judged. */
            tests: components["schemas"]["SolutionTest"][];
            verdict?: components["schemas"]["Verdict"] | null;
        };
        /** @description What became of one test of a solution. */
        SolutionTest: {
            /**
             * Format: int64
             * @description Peak memory in kibibytes; of hidden tests rounded to 1,024.
             */
            memory_kib: number;
            /** @description The test's name. */
            name: string;
            /**
             * Format: int64
             * @description Processor time in milliseconds; of hidden tests rounded to 10.
             */
            time_ms: number;
            /** @description What became of it. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description A file of source code. */
        SourceFile: {
            /** @description Its text. */
            content: string;
            /** @description A plain file name. */
            name: string;
        };
        /**
         * @description How far a submission has come.
         * @enum {string}
         */
        Status: "queued" | "judging" | "judged" | "done" | "failed";
        String: string;
        /** @description The body of `POST /submissions`: `code`, or `files` with the main one first. */
        SubmissionBody: {
            /** @description The code, at most 64 KiB. */
            code?: string | null;
            /** @description The code in several files, together at most 64 KiB. */
            files?: components["schemas"]["SourceFile"][] | null;
            /** @description The language of the code. */
            language: components["schemas"]["Language"];
            /** @description The question's id or slug. */
            question: string;
        };
        /**
         * Format: uuid
         * @description Something to judge: a learner's submission, or a run with own input.
         */
        SubmissionId: string;
        /** @description A page of submissions. */
        SubmissionPage: {
            /** @description The newest first. */
            items: components["schemas"]["SubmissionSummary"][];
            /** @description `null` on the last page. */
            next_cursor?: string | null;
        };
        /** @description A submission in short. */
        SubmissionSummary: {
            /**
             * Format: date-time
             * @description The time that counts.
             */
            accepted_at: string;
            /** @description Whose. */
            account: components["schemas"]["Owner"];
            /** @description Why it ended without a verdict, in a word. */
            failure_reason?: string | null;
            /**
             * Format: date-time
             * @description When everything was there.
             */
            finished_at?: string | null;
            /** @description Its id. */
            id: components["schemas"]["SubmissionId"];
            /** @description The code's language. */
            language: components["schemas"]["Language"];
            /** @description Where more is found. */
            links: components["schemas"]["Links"];
            /**
             * Format: double
             * @description Points that could be reached.
             */
            max_score?: number | null;
            /**
             * Format: int64
             * @description The largest peak memory of a test, in kibibytes.
             */
            memory_kib?: number | null;
            question?: components["schemas"]["QuestionView"] | null;
            /**
             * Format: double
             * @description Points reached.
             */
            score?: number | null;
            /** @description How far it has come. */
            status: components["schemas"]["Status"];
            /**
             * Format: int64
             * @description The largest processor time of a test, in milliseconds.
             */
            time_ms?: number | null;
            verdict?: components["schemas"]["Verdict"] | null;
            /**
             * Format: int32
             * @description The question's version that judges it.
             */
            version?: number | null;
        };
        /** @description A submission with all that its log says. */
        SubmissionView: components["schemas"]["SubmissionSummary"] & components["schemas"]["Picture"] & {
            /**
             * Format: int32
             * @description The judgement that the rest is about.
             */
            judgement: number;
            /** @description All its judgements; more than one after it was judged anew. */
            judgements: components["schemas"]["JudgementView"][];
        };
        /** @description What a learner may know of a sample; absent elsewhere. */
        TestDetail: {
            difference?: components["schemas"]["Difference"] | null;
            /**
             * Format: int32
             * @description The code that the program ended with; absent when a signal or a limit ended it.
             */
            exit_code?: number | null;
            /** @description What was expected, cut at 4 KiB. */
            expected?: components["schemas"]["String"];
            /** @description What it read, cut at 4 KiB. */
            input?: components["schemas"]["String"];
            message?: components["schemas"]["String"] | null;
            /** @description What it wrote, cut at 4 KiB. */
            output?: components["schemas"]["String"];
            /** @description The signal that ended it, by name (`SIGSEGV`). */
            signal?: string | null;
            /** @description Its standard error, cut at 4 KiB. */
            stderr?: components["schemas"]["String"];
        };
        /** @description How the tests of one group count together. */
        TestGroup: {
            /** @description Groups whose tests must all be accepted; else its own are skipped. They are judged before it. */
            depends_on?: string[];
            judging?: components["schemas"]["JudgingMode"] | null;
            /** @description Its name, as its tests say it. */
            name: string;
            /**
             * Format: double
             * @description What it is worth. Absent: by `sum` the points of its tests together, by `min` the most points that one of them has.
             */
            points?: number | null;
            /** @description How its tests' scores become its own. */
            score?: components["schemas"]["GroupScore"];
        };
        /** @description What became of one test. Of hidden tests only verdict, limit, rounded time and rounded memory. */
        TestResult: components["schemas"]["TestDetail"] & {
            /** @description The test's group. */
            group?: string | null;
            /**
             * Format: int32
             * @description From 1, in the question's order.
             */
            index: number;
            limit?: components["schemas"]["LimitHit"] | null;
            /**
             * Format: int64
             * @description Peak memory in kibibytes; of hidden tests rounded to 1,024.
             */
            memory_kib: number;
            /** @description The test's name. */
            name: string;
            /** @description Of `IE`: what went wrong with the question's own checker. */
            reason?: string | null;
            /**
             * Format: double
             * @description Points reached, where the question's own checker gives a share of them.
             */
            score?: number | null;
            /**
             * Format: int64
             * @description Processor time in milliseconds; of hidden tests rounded to 10.
             */
            time_ms: number;
            /** @description What became of it. */
            verdict: components["schemas"]["Verdict"];
            /**
             * Format: int64
             * @description Time on the clock in milliseconds; of hidden tests rounded to 10.
             */
            wall_ms: number;
        };
        /** @description A token, without its secret. */
        TokenBody: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at?: string | null;
            /** Format: uuid */
            id: string;
            /**
             * Format: date-time
             * @description To the minute.
             */
            last_used_at?: string | null;
            name: string;
            scopes: components["schemas"]["Scope"][];
        };
        /** @description All tokens of an account. */
        TokenList: {
            items: components["schemas"]["TokenBody"][];
        };
        /** @description Tokens of a language model. */
        Tokens: {
            /**
             * Format: int64
             * @description Written.
             */
            completion: number;
            /**
             * Format: int64
             * @description Read.
             */
            prompt: number;
        };
        /** @description The figures of one group. */
        UsageFigures: {
            /**
             * Format: int64
             * @description How many of these have the verdict `AC`.
             */
            accepted: number;
            /**
             * Format: int64
             * @description Of how many accounts.
             */
            accounts: number;
            /**
             * Format: int64
             * @description How many ended without a verdict.
             */
            failed: number;
            /**
             * Format: int64
             * @description How many have a verdict.
             */
            judged: number;
            /** @description The day, the question's id, the language's id, the verdict (`failed`: ended without one, `open`: none yet), or the account's id. */
            key: string;
            /**
             * Format: int64
             * @description Processor time that their tests took, in milliseconds; each judgement of a submission adds to it.
             */
            machine_ms: number;
            /** @description The question's slug or the account's name. */
            name?: string | null;
            /**
             * Format: int64
             * @description How many were accepted by the service; runs are not counted.
             */
            submissions: number;
            /**
             * Format: int64
             * @description Tokens that their reviews took.
             */
            tokens: number;
        };
        /** @description Figures, group by group. */
        UsageView: {
            /**
             * @description What figures are grouped by.
             * @enum {string}
             */
            by: "day" | "question" | "language" | "verdict" | "account";
            /** @description In the order of their keys; groups without submissions are absent. */
            items: components["schemas"]["UsageFigures"][];
        };
        /**
         * @description What became of one test, or of a whole submission (then: of its lowest-numbered test that is not [`Verdict::Accepted`]).
         * @enum {string}
         */
        Verdict: "AC" | "WA" | "PE" | "TLE" | "MLE" | "OLE" | "RE" | "CE" | "IE" | "SK";
        /** @description Where more is found. */
        VerificationLinks: {
            /** @description Its stream of events (SSE). */
            events: string;
            /** @description How far it has come. */
            self: string;
        };
        /** @description A verification that was begun. */
        VerificationStarted: {
            /** @description The batch. */
            id: components["schemas"]["BatchId"];
            /** @description Where to go on. */
            links: components["schemas"]["VerificationLinks"];
            /**
             * Format: int32
             * @description The version that the draft would become.
             */
            version: number;
        };
        /**
         * @description How a proof stands.
         * @enum {string}
         */
        VerificationState: "running" | "passed" | "failed";
        /** @description A dead letter with what was in it. */
        WholeDeadLetterView: components["schemas"]["DeadLetterView"] & {
            /** @description The message's headers. */
            headers: Record<string, never>;
            /** @description Its value as text; what is not UTF-8 is replaced. */
            payload: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
