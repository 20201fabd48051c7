//! Every sentence that evaluation says to people, in Korean and in English, side by side.
//!
//! Sentences only: which one is said when is decided elsewhere. Nothing here ever shows a solution or a hidden test.

use contract::{Language, Locale, Verdict};

/// Something to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phrase<'a> {
    // What `failed` says.
    NoRunnerHas(Language),
    OurFault,

    // What the built-in reviewer remarks.
    CompilerError(&'a str),
    CompilerWarning(&'a str),
    NestedLoops { depth: usize },
    NestedLoopsTooSlow { depth: usize },
    SlowInput { instead: &'a str },
    SlowOutput,
    ReadsLinePerLoop,
    DebugPrint,
    UnflushedOutput,
    SmallIntegers,
    DeepRecursion,
    OutOfRange,
    DivisionByZero,
    NothingThere,
    InputEnded,
    BadConversion,
    Uncaught(&'a str),
    Crashed(&'a str),
    SampleDiffers(SampleDiffers<'a>),
    SampleNoOutput { test: u32 },
    LargeAllocation,
    EndlessOutput,
    Growth { test: u32, time_ms: u64, times: u64 },
    AllPassed { total: u32, time_ms: u64 },
    ShortAndClear { lines: usize },

    // The review as a whole.
    Summary(Verdict, Passed),
    NextStep(Verdict),
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Passed {
    pub(crate) passed: u32,
    pub(crate) total: u32,
}

/// Where a sample's answer first differs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SampleDiffers<'a> {
    pub(crate) test: u32,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) expected: &'a str,
    pub(crate) got: &'a str,
}

impl Phrase<'_> {
    /// The sentence in the reader's language.
    pub(crate) fn to_text(&self, locale: Locale) -> String {
        match locale {
            Locale::Ko => self.korean(),
            Locale::En => self.english(),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "a catalogue: one entry after the other"
    )]
    fn english(&self) -> String {
        match *self {
            Self::NoRunnerHas(language) => {
                format!("Code in {language} cannot be judged here at present. Choose another language.")
            }
            Self::OurFault => {
                "It could not be judged because of a fault on our side. The operator has been told.".into()
            }
            Self::CompilerError(text) => format!("The compiler stops here: {text}"),
            Self::CompilerWarning(text) => format!("The compiler warns: {text}"),
            Self::NestedLoops { depth } => format!(
                "Loops are nested {depth} deep here. For large inputs, ask yourself how often the innermost line runs."
            ),
            Self::NestedLoopsTooSlow { depth } => format!(
                "Loops are nested {depth} deep here, and time ran out. How often does the innermost line run for the \
                 largest input allowed? Look for work that is repeated: sorting, a hash table or running totals often \
                 save one of the loops."
            ),
            Self::SlowInput { instead } => {
                format!("Reading like this is slow when the input is large. {instead} reads much faster.")
            }
            Self::SlowOutput => {
                "This line flushes the output each time it runs. Ending lines with '\\n' and flushing once at the end \
                 is much faster."
                    .into()
            }
            Self::ReadsLinePerLoop => {
                "input() is called once in every turn of this loop. With many lines, sys.stdin is several times faster."
                    .into()
            }
            Self::DebugPrint => {
                "This looks like a print that was left over from debugging. Remove it before you submit.".into()
            }
            Self::UnflushedOutput => {
                "The output is buffered here, but nothing in the program flushes or closes it: its end may never be \
                 written."
                    .into()
            }
            Self::SmallIntegers => {
                "This multiplies or sums up 32-bit integers. Could the result exceed 2,147,483,647 for the largest \
                 values allowed?"
                    .into()
            }
            Self::DeepRecursion => {
                "The program called itself too deeply. Is the end of the recursion always reached, and how deep does it \
                 go for the largest input? A loop or a stack of your own has no such limit."
                    .into()
            }
            Self::OutOfRange => {
                "An index lay outside its array, list or string. Check the first and the last turn of the loop, and the \
                 smallest input."
                    .into()
            }
            Self::DivisionByZero => "A number was divided by zero. For which input does the divisor become 0?".into(),
            Self::NothingThere => "Something was used that was not there (null, None or undefined).".into(),
            Self::InputEnded => {
                "The program wanted to read more than there was. Compare how you read with the form of the input in the \
                 statement: are several values on one line?"
                    .into()
            }
            Self::BadConversion => {
                "A text could not be read as a number. Compare how you read with the form of the input in the \
                 statement: are several values on one line?"
                    .into()
            }
            Self::Uncaught(name) => format!("The program ended with {name}, which nothing caught."),
            Self::Crashed(signal) => format!(
                "The program crashed ({signal}). Usual causes: an index outside its array, a pointer that points \
                 nowhere, or too deep a recursion."
            ),
            Self::SampleDiffers(SampleDiffers {
                test,
                line,
                column,
                expected,
                got,
            }) => format!(
                "On sample {test} the answer differs first in line {line}, column {column}: expected {expected:?}, got \
                 {got:?}. Follow the program by hand on this sample."
            ),
            Self::SampleNoOutput { test } => {
                format!("On sample {test} the program wrote nothing. Is the result printed?")
            }
            Self::LargeAllocation => {
                "Much memory is taken here. How many bytes is that for the largest input? Is everything that is kept \
                 still needed?"
                    .into()
            }
            Self::EndlessOutput => {
                "The program wrote far more than the answer needs. Does every loop that prints come to an end?".into()
            }
            Self::Growth { test, time_ms, times } => format!(
                "Test {test} took {time_ms} ms, {times} times as long as most tests. How does the number of turns of this \
                 loop grow with the input?"
            ),
            Self::AllPassed { total, time_ms } => {
                format!("All {total} tests passed; the slowest took {time_ms} ms.")
            }
            Self::ShortAndClear { lines } => format!("Short and to the point: {lines} lines do the whole work."),
            Self::Summary(verdict, Passed { passed, total }) => match verdict {
                Verdict::Accepted => format!("Accepted: all {total} tests passed."),
                Verdict::WrongAnswer => format!("{passed} of {total} tests passed; an answer was wrong."),
                Verdict::PresentationError => format!("{passed} of {total} tests passed; the form of an answer was wrong."),
                Verdict::TimeLimit => format!("{passed} of {total} tests passed; time ran out."),
                Verdict::MemoryLimit => format!("{passed} of {total} tests passed; memory ran out."),
                Verdict::OutputLimit => format!("{passed} of {total} tests passed; the program wrote too much."),
                Verdict::RuntimeError => format!("{passed} of {total} tests passed; the program crashed."),
                Verdict::CompileError => "The code does not compile.".into(),
                Verdict::InternalError | Verdict::Skipped => format!("{passed} of {total} tests passed."),
            },
            Self::NextStep(verdict) => match verdict {
                Verdict::Accepted => "Say in a sentence why it is right, and how its time grows with the input.",
                Verdict::WrongAnswer => {
                    "Try the smallest input, the largest one, equal values and negative ones, and compare with what you \
                     work out by hand."
                }
                Verdict::PresentationError => "Compare spaces and line ends with the sample's output.",
                Verdict::TimeLimit => {
                    "Estimate the number of steps for the largest input: about 100 million simple ones fit in a second."
                }
                Verdict::MemoryLimit => "Find what grows with the input, and ask whether all of it must be kept.",
                Verdict::OutputLimit => "Look for the loop that prints, and for the condition that ends it.",
                Verdict::RuntimeError => "Run it with the sample, then with the smallest and with empty input.",
                Verdict::CompileError => "Repair the first message, then compile again: later ones often follow from it.",
                Verdict::InternalError | Verdict::Skipped => "Submit it again later.",
            }
            .into(),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "a catalogue: one entry after the other"
    )]
    fn korean(&self) -> String {
        match *self {
            Self::NoRunnerHas(language) => {
                format!("지금은 {language} 코드를 채점할 수 없습니다. 다른 언어를 선택해 주세요.")
            }
            Self::OurFault => "저희 쪽 문제로 채점하지 못했습니다. 운영자에게 알렸습니다.".into(),
            Self::CompilerError(text) => format!("컴파일러가 여기에서 멈췄습니다: {text}"),
            Self::CompilerWarning(text) => format!("컴파일러 경고: {text}"),
            Self::NestedLoops { depth } => format!(
                "여기에서 반복문이 {depth}겹으로 중첩됩니다. 입력이 클 때 가장 안쪽 줄이 몇 번 실행되는지 생각해 보세요."
            ),
            Self::NestedLoopsTooSlow { depth } => format!(
                "여기에서 반복문이 {depth}겹으로 중첩되고, 시간이 초과되었습니다. 가장 큰 입력에서 가장 안쪽 줄은 몇 번 \
                 실행될까요? 되풀이되는 계산을 찾아보세요. 정렬, 해시, 누적 합으로 반복문 하나를 줄일 수 있는 경우가 많습니다."
            ),
            Self::SlowInput { instead } => {
                format!("입력이 클 때 이 방법은 느립니다. {instead} 쪽이 훨씬 빠릅니다.")
            }
            Self::SlowOutput => {
                "이 줄은 실행될 때마다 출력 버퍼를 비웁니다. 줄 끝에 '\\n'을 쓰고 마지막에 한 번만 비우면 훨씬 빠릅니다.".into()
            }
            Self::ReadsLinePerLoop => {
                "이 반복문은 돌 때마다 input()을 호출합니다. 줄이 많으면 sys.stdin이 몇 배 빠릅니다.".into()
            }
            Self::DebugPrint => "디버깅하다 남은 출력으로 보입니다. 제출하기 전에 지우세요.".into(),
            Self::UnflushedOutput => {
                "여기에서 출력을 버퍼에 모으지만, flush나 close를 하는 곳이 없습니다. 출력의 끝부분이 나오지 않을 수 있습니다."
                    .into()
            }
            Self::SmallIntegers => {
                "32비트 정수끼리 곱하거나 더해 갑니다. 가장 큰 값에서 결과가 2,147,483,647을 넘지 않을까요?".into()
            }
            Self::DeepRecursion => {
                "재귀 호출이 너무 깊어졌습니다. 끝나는 조건에 항상 도달하나요? 가장 큰 입력에서는 얼마나 깊어지나요? 반복문이나 \
                 직접 만든 스택에는 이런 한계가 없습니다."
                    .into()
            }
            Self::OutOfRange => {
                "배열, 리스트 또는 문자열의 범위를 벗어난 위치를 읽거나 썼습니다. 반복문의 처음과 마지막, 그리고 가장 작은 입력을 \
                 확인해 보세요."
                    .into()
            }
            Self::DivisionByZero => "0으로 나누었습니다. 어떤 입력에서 나누는 수가 0이 되나요?".into(),
            Self::NothingThere => "값이 없는 것(null, None, undefined)을 사용했습니다.".into(),
            Self::InputEnded => {
                "남은 입력보다 더 많이 읽으려고 했습니다. 읽는 방법을 문제의 입력 형식과 비교해 보세요. 한 줄에 값이 여러 개 있지 \
                 않나요?"
                    .into()
            }
            Self::BadConversion => {
                "글자를 수로 바꿀 수 없었습니다. 읽는 방법을 문제의 입력 형식과 비교해 보세요. 한 줄에 값이 여러 개 있지 않나요?"
                    .into()
            }
            Self::Uncaught(name) => format!("처리되지 않은 {name} 때문에 프로그램이 끝났습니다."),
            Self::Crashed(signal) => format!(
                "프로그램이 비정상 종료되었습니다({signal}). 흔한 원인은 배열 범위를 벗어난 접근, 잘못된 포인터, 너무 깊은 \
                 재귀입니다."
            ),
            Self::SampleDiffers(SampleDiffers {
                test,
                line,
                column,
                expected,
                got,
            }) => format!(
                "예제 {test}의 답이 {line}번째 줄 {column}번째 글자에서 처음 달라집니다. 기대한 값은 {expected:?}, 출력한 값은 \
                 {got:?}입니다. 이 예제로 프로그램을 손으로 따라가 보세요."
            ),
            Self::SampleNoOutput { test } => {
                format!("예제 {test}에서 아무것도 출력하지 않았습니다. 결과를 출력하나요?")
            }
            Self::LargeAllocation => {
                "여기에서 메모리를 많이 씁니다. 가장 큰 입력에서 몇 바이트가 될까요? 저장하는 것이 모두 필요한가요?".into()
            }
            Self::EndlessOutput => {
                "답보다 훨씬 많이 출력했습니다. 출력하는 반복문이 모두 끝나는지 확인해 보세요.".into()
            }
            Self::Growth { test, time_ms, times } => format!(
                "테스트 {test}에 {time_ms} ms가 걸렸습니다. 보통 테스트의 {times}배입니다. 입력이 커지면 이 반복문이 도는 횟수는 \
                 어떻게 늘어나나요?"
            ),
            Self::AllPassed { total, time_ms } => {
                format!("테스트 {total}개를 모두 통과했습니다. 가장 느린 테스트가 {time_ms} ms 걸렸습니다.")
            }
            Self::ShortAndClear { lines } => format!("{lines}줄로 군더더기 없이 해결했습니다."),
            Self::Summary(verdict, Passed { passed, total }) => match verdict {
                Verdict::Accepted => format!("맞았습니다. 테스트 {total}개를 모두 통과했습니다."),
                Verdict::WrongAnswer => format!("테스트 {total}개 중 {passed}개를 통과했고, 틀린 답이 있습니다."),
                Verdict::PresentationError => format!("테스트 {total}개 중 {passed}개를 통과했고, 출력 형식이 다릅니다."),
                Verdict::TimeLimit => format!("테스트 {total}개 중 {passed}개를 통과했고, 시간이 초과되었습니다."),
                Verdict::MemoryLimit => format!("테스트 {total}개 중 {passed}개를 통과했고, 메모리가 초과되었습니다."),
                Verdict::OutputLimit => format!("테스트 {total}개 중 {passed}개를 통과했고, 출력이 너무 많았습니다."),
                Verdict::RuntimeError => format!("테스트 {total}개 중 {passed}개를 통과했고, 실행 중에 오류가 났습니다."),
                Verdict::CompileError => "코드가 컴파일되지 않습니다.".into(),
                Verdict::InternalError | Verdict::Skipped => format!("테스트 {total}개 중 {passed}개를 통과했습니다."),
            },
            Self::NextStep(verdict) => match verdict {
                Verdict::Accepted => "왜 맞는지, 입력이 커질 때 시간이 어떻게 늘어나는지 한 문장으로 설명해 보세요.",
                Verdict::WrongAnswer => {
                    "가장 작은 입력, 가장 큰 입력, 같은 값, 음수를 넣어 보고 손으로 구한 답과 비교해 보세요."
                }
                Verdict::PresentationError => "공백과 줄바꿈을 예제 출력과 비교해 보세요.",
                Verdict::TimeLimit => {
                    "가장 큰 입력에서 몇 단계가 실행되는지 어림해 보세요. 1초에 간단한 연산이 1억 번쯤 가능합니다."
                }
                Verdict::MemoryLimit => "입력과 함께 커지는 것을 찾고, 모두 저장해야 하는지 생각해 보세요.",
                Verdict::OutputLimit => "출력하는 반복문과 그것이 끝나는 조건을 찾아보세요.",
                Verdict::RuntimeError => "예제로 실행한 다음, 가장 작은 입력과 빈 입력으로 실행해 보세요.",
                Verdict::CompileError => {
                    "첫 번째 메시지부터 고치고 다시 컴파일해 보세요. 뒤의 메시지는 그 때문인 경우가 많습니다."
                }
                Verdict::InternalError | Verdict::Skipped => "나중에 다시 제출해 보세요.",
            }
            .into(),
        }
    }
}
