//! A test as it is put: as JSON, or as a form whose files are stored while they arrive.

use axum::{
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
};
use contract::manifest::TestRef;

use crate::{
    blobs::{BlobError, Staged, StreamError, blocking},
    bodies::SentTest,
    document::TestDocument,
    error::QuestionError,
    request::{self, Media},
    rules::{self, Fault, MAX_TEST_BYTES},
    state::AppState,
};

/// What is being put, whichever form it came in.
pub(crate) struct Upload {
    sent: SentTest,
    /// A form changes what it names; JSON says all.
    is_form: bool,
    names_sample: bool,
}

/// The same while its bodies are only staged.
struct Arrived {
    test: TestDocument,
    input: Option<Staged>,
    output: Option<Staged>,
    /// A form changes what it names; JSON says all.
    is_form: bool,
    names_sample: bool,
}

impl Upload {
    /// Reads the test `name` from a request and keeps its bodies.
    pub(crate) async fn receive(
        state: &AppState,
        request: Request,
        name: &str,
    ) -> Result<Self, QuestionError> {
        let mut arrived = match Media::of(request.headers()) {
            Media::Json => Arrived::from_json(state, request).await?,
            Media::Form => Arrived::from_form(state, request).await?,
            Media::Text | Media::Zip | Media::Other => {
                return Err(QuestionError::UnsupportedMediaType(
                    "application/json or multipart/form-data",
                ));
            }
        };
        if arrived.test.name.is_empty() {
            name.clone_into(&mut arrived.test.name);
        } else if arrived.test.name != name {
            return Err(QuestionError::fault(
                "/name",
                "mismatch",
                "the address names another test",
            ));
        }
        let faults = rules::check_test("", &arrived.test);
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let blob = |staged: &Option<Staged>| staged.as_ref().map(|staged| staged.blob.clone());
        let sent = SentTest {
            test: arrived.test,
            input: blob(&arrived.input),
            output: blob(&arrived.output),
        };
        let staged = arrived.input.into_iter().chain(arrived.output);
        state.blobs.keep(staged.collect()).await?;
        Ok(Self {
            sent,
            is_form: arrived.is_form,
            names_sample: arrived.names_sample,
        })
    }

    /// The test as it is to be stored.
    pub(crate) fn resolve(mut self, before: Option<&TestRef>) -> Result<TestRef, Fault> {
        if self.is_form
            && let Some(before) = before
        {
            let test = &mut self.sent.test;
            test.group = test.group.take().or_else(|| before.group.clone());
            test.points = test.points.or(before.points);
            if !self.names_sample {
                test.sample = before.sample;
            }
        }
        self.sent.resolve("", before)
    }
}

impl Arrived {
    async fn from_json(state: &AppState, request: Request) -> Result<Self, QuestionError> {
        let mut test: TestDocument = request::json(request, state).await?;
        let (input, output) = (test.input.take(), test.output.take());
        let blobs = state.blobs.clone();
        let (input, output) = blocking(move || {
            let staged = |text: Option<String>| {
                text.map(|text| blobs.stage_bytes(text.as_bytes(), MAX_TEST_BYTES))
                    .transpose()
            };
            Ok((staged(input)?, staged(output)?))
        })
        .await?;
        Ok(Self {
            test,
            input,
            output,
            is_form: false,
            names_sample: true,
        })
    }

    async fn from_form(state: &AppState, request: Request) -> Result<Self, QuestionError> {
        let malformed = |error: &dyn std::error::Error| {
            QuestionError::Malformed(format!("The form cannot be read: {error}."))
        };
        let mut form = Multipart::from_request(request, state)
            .await
            .map_err(|error| malformed(&error))?;
        let mut upload = Self {
            test: TestDocument::default(),
            input: None,
            output: None,
            is_form: true,
            names_sample: false,
        };
        while let Some(mut field) = form
            .next_field()
            .await
            .map_err(|error| form_error(&error))?
        {
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                "input" => upload.input = Some(stage(state, field).await?),
                "output" => upload.output = Some(stage(state, field).await?),
                "name" => upload.test.name = short_text(&mut field, "/name").await?,
                "group" => upload.test.group = Some(short_text(&mut field, "/group").await?),
                "sample" => {
                    upload.names_sample = true;
                    upload.test.sample = parsed(&mut field, "/sample").await?;
                }
                "points" => upload.test.points = Some(parsed(&mut field, "/points").await?),
                _ => {
                    return Err(QuestionError::fault(
                        "",
                        "unknown",
                        "parts are input, output, sample, group, points and name",
                    ));
                }
            }
        }
        Ok(upload)
    }
}

async fn stage(state: &AppState, field: Field<'_>) -> Result<Staged, QuestionError> {
    match state.blobs.stage_stream(field, MAX_TEST_BYTES).await {
        Ok(staged) => Ok(staged),
        Err(StreamError::Blob(error)) => Err(error.into()),
        Err(StreamError::Cut(source)) => Err(source.downcast().map_or_else(
            |source| QuestionError::Malformed(source.to_string()),
            |error| form_error(&error),
        )),
    }
}

/// A part that is a word: whatever is longer is none.
async fn short_text(field: &mut Field<'_>, pointer: &str) -> Result<String, QuestionError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| form_error(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 200 {
            return Err(QuestionError::fault(
                pointer,
                "too-long",
                "this part is a short text",
            ));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| QuestionError::fault(pointer, "format", "this part is text in UTF-8"))
}

async fn parsed<T: std::str::FromStr>(
    field: &mut Field<'_>,
    pointer: &str,
) -> Result<T, QuestionError> {
    let text = short_text(field, pointer).await?;
    text.trim().parse().map_err(|_| {
        QuestionError::fault(
            pointer,
            "format",
            "sample is true or false, points is a number",
        )
    })
}

fn form_error(error: &MultipartError) -> QuestionError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        QuestionError::Blob(BlobError::TooLarge {
            limit: MAX_TEST_BYTES,
        })
    } else {
        QuestionError::Malformed(format!("The form cannot be read: {}.", error.body_text()))
    }
}
