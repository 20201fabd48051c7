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
    bodies,
    document::TestDocument,
    error::QuestionError,
    request,
    rules::{Fault, MAX_TEST_BYTES},
    state::AppState,
};

/// What is being put, whichever form it came in.
pub(crate) struct Upload {
    pub(crate) test: TestDocument,
    input: Option<Staged>,
    output: Option<Staged>,
    /// A form changes what it names; JSON says all.
    is_form: bool,
    names_sample: bool,
}

impl Upload {
    pub(crate) async fn from_json(
        state: &AppState,
        request: Request,
    ) -> Result<Self, QuestionError> {
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

    pub(crate) async fn from_form(
        state: &AppState,
        request: Request,
    ) -> Result<Self, QuestionError> {
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

    /// The test as it is to be stored, and its new bodies.
    pub(crate) fn resolve(self, before: Option<&TestRef>) -> Result<(TestRef, Vec<Staged>), Fault> {
        let mut test = self.test;
        if self.is_form
            && let Some(before) = before
        {
            test.group = test.group.or_else(|| before.group.clone());
            test.points = test.points.or(before.points);
            if !self.names_sample {
                test.sample = before.sample;
            }
        }
        let sample = test.sample;
        let test = TestRef {
            name: test.name,
            sample,
            group: test.group,
            points: test.points,
            input: bodies::body_of(
                "input",
                sample,
                self.input.as_ref(),
                before.map(|test| &test.input),
            )?,
            output: bodies::body_of(
                "output",
                sample,
                self.output.as_ref(),
                before.map(|test| &test.output),
            )?,
        };
        Ok((test, self.input.into_iter().chain(self.output).collect()))
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
