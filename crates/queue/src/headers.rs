//! [`Headers`] as Kafka's: each field a header of its own, text as it is, numbers in decimal, times in RFC 3339.
//!
//! Unknown headers are ignored. A header that is missing or cannot be read is an error with its name, never a default.

use contract::Headers;
use rdkafka::message::{Header, OwnedHeaders};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// As one message's headers.
pub(crate) fn encode(headers: &Headers) -> OwnedHeaders {
    let text = |owned: OwnedHeaders, key: &str, value: Option<&str>| match value {
        Some(_) => owned.insert(Header { key, value }),
        None => owned,
    };
    let time = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
    let owned = OwnedHeaders::new_with_capacity(9);
    let owned = text(owned, "id", Some(&headers.id));
    let owned = text(owned, "type", Some(&headers.kind));
    let owned = text(owned, "attempt", Some(&headers.attempt.to_string()));
    let reply = headers.reply_partition.map(|reply| reply.to_string());
    let owned = text(owned, "reply-partition", reply.as_deref());
    let owned = text(owned, "deadline", time(headers.deadline).as_deref());
    let owned = text(owned, "accepted-at", time(headers.accepted_at).as_deref());
    let owned = text(owned, "traceparent", headers.traceparent.as_deref());
    let owned = text(owned, "origin", headers.origin.as_deref());
    text(owned, "reason", headers.reason.as_deref())
}

/// From one message's headers; the error says what is wrong with which.
pub(crate) fn decode<'a>(
    all: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<Headers, String> {
    let mut headers = Headers::new("", "");
    let (mut id, mut kind, mut attempt) = (None, None, None);
    for (name, value) in all {
        let read = || {
            let bytes = value.ok_or_else(|| format!("header {name} is empty"))?;
            std::str::from_utf8(bytes).map_err(|_| format!("header {name} is not UTF-8"))
        };
        match name {
            "id" => id = Some(read()?.to_owned()),
            "type" => kind = Some(read()?.to_owned()),
            "attempt" => attempt = Some(number(name, read()?)?),
            "reply-partition" => headers.reply_partition = Some(number(name, read()?)?),
            "deadline" => headers.deadline = Some(instant(name, read()?)?),
            "accepted-at" => headers.accepted_at = Some(instant(name, read()?)?),
            "traceparent" => headers.traceparent = Some(read()?.to_owned()),
            "origin" => headers.origin = Some(read()?.to_owned()),
            "reason" => headers.reason = Some(read()?.to_owned()),
            _ => {}
        }
    }
    let missing = |name: &str| format!("header {name} is missing");
    headers.id = id.ok_or_else(|| missing("id"))?;
    headers.kind = kind.ok_or_else(|| missing("type"))?;
    headers.attempt = attempt.ok_or_else(|| missing("attempt"))?;
    Ok(headers)
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("header {name} is not a number"))
}

fn instant(name: &str, text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| format!("header {name} is not a time"))
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Headers as _;
    use time::macros::datetime;

    use super::*;

    fn full() -> Headers {
        Headers {
            id: "01990000-0000-7000-8000-000000000000/1".to_owned(),
            kind: "judge-job".to_owned(),
            attempt: 3,
            reply_partition: Some(7),
            deadline: Some(datetime!(2026-11-25 12:00:00.25 UTC)),
            accepted_at: Some(datetime!(2026-11-24 12:00:00 +09:00)),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            origin: Some("codementor.submissions.v1".to_owned()),
            reason: Some("러너가 없습니다".to_owned()),
        }
    }

    fn reread(headers: &Headers) -> Result<Headers, String> {
        let encoded = encode(headers);
        decode(encoded.iter().map(|header| (header.key, header.value)))
    }

    #[test]
    fn come_back_as_they_were() {
        for headers in [full(), Headers::new("a", "stream-event")] {
            assert_eq!(reread(&headers), Ok(headers));
        }
    }

    #[test]
    fn carry_the_names_that_serde_gives_them() {
        let json = serde_json::to_value(full()).expect("headers are JSON");
        let json = json.as_object().expect("an object");
        let encoded = encode(&full());
        assert_eq!(encoded.count(), json.len());
        for header in encoded.iter() {
            let text = std::str::from_utf8(header.value.expect("a value")).expect("text");
            let expected = match &json[header.key] {
                serde_json::Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(text, expected, "{}", header.key);
        }
    }

    #[test]
    fn say_what_is_wrong() {
        let good = [("id", "a"), ("type", "t"), ("attempt", "1")];
        let with = |name: &'static str, value: Option<&'static [u8]>| {
            let all = good
                .iter()
                .map(|(name, value)| (*name, Some(value.as_bytes())));
            decode(all.chain([(name, value)])).expect_err("it is wrong")
        };
        assert_eq!(
            with("attempt", Some(b"one")),
            "header attempt is not a number"
        );
        assert_eq!(
            with("deadline", Some(b"soon")),
            "header deadline is not a time"
        );
        assert_eq!(with("origin", Some(&[0xff])), "header origin is not UTF-8");
        assert_eq!(with("reason", None), "header reason is empty");
        for missing in ["id", "type", "attempt"] {
            let all = good.iter().filter(|(name, _)| *name != missing);
            let read = decode(all.map(|(name, value)| (*name, Some(value.as_bytes()))));
            assert_eq!(read, Err(format!("header {missing} is missing")));
        }
    }

    #[test]
    fn ignore_what_is_unknown() {
        let all = [("id", "a"), ("new", "x"), ("type", "t"), ("attempt", "1")];
        let read = decode(
            all.into_iter()
                .map(|(name, value)| (name, Some(value.as_bytes()))),
        );
        assert_eq!(read, Ok(Headers::new("a", "t")));
    }
}
