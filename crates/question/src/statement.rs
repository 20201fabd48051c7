//! Statements: Markdown to HTML that can be shown as it is.
//!
//! Two walls: HTML in the Markdown is shown as text but for a few harmless tags, and what comes out is sanitised. No script,
//! style or image survives. Never trusted to be fast for hostile nesting: that is refused when a statement is saved.

use std::sync::LazyLock;

use ammonia::Builder;
use contract::Locale;
use pulldown_cmark::{Event, Options, Parser, html};

/// How deeply blocks and emphasis may stand in one another.
const MAX_DEPTH: usize = 32;

/// Tags that Markdown has no word for.
const INLINE_TAGS: [&str; 4] = ["sub", "sup", "kbd", "br"];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .rm_tags(["img", "map", "area", "figure", "figcaption"])
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .add_allowed_classes("span", ["math", "math-inline", "math-display"])
        .add_tag_attributes("code", ["class"])
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("code", "class") => is_language_class(value).then(|| value.into()),
            _ => Some(value.into()),
        });
    builder
});

/// The statement as HTML. Maths stays TeX, in `<span class="math math-inline">` and `math-display`.
pub(crate) fn to_html(markdown: &str) -> String {
    let events = parser(markdown).map(|event| match event {
        Event::InlineHtml(tag) if is_harmless(&tag) => Event::InlineHtml(tag),
        Event::InlineHtml(tag) | Event::Html(tag) => Event::Text(tag),
        other => other,
    });
    let mut html = String::new();
    html::push_html(&mut html, events);
    SANITISER.clean(&html).to_string()
}

/// Whether it can be rendered in a time that depends on its length alone.
pub(crate) fn is_shallow(markdown: &str) -> bool {
    let mut depth = 0_usize;
    parser(markdown).all(|event| {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::InlineHtml(tag) if is_harmless(&tag) && !tag.contains("br") => {
                depth = if tag.starts_with("</") {
                    depth.saturating_sub(1)
                } else {
                    depth + 1
                };
            }
            _ => {}
        }
        depth <= MAX_DEPTH
    })
}

/// The languages that an `Accept-Language` header asks for, most wanted first (RFC 9110 §12.5.4). What is not a language of
/// ours is skipped.
pub(crate) fn wanted_locales(header: Option<&str>, usual: Locale) -> Vec<Locale> {
    let mut wanted: Vec<(u16, Locale)> = header
        .unwrap_or_default()
        .split(',')
        .take(32)
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next()?;
            let locale = if tag == "*" {
                usual
            } else {
                Locale::from_tag(tag)?
            };
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(Some(1.0), |number| number.parse::<f32>().ok())?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to 0..=1000"
            )]
            let thousandths = (quality.clamp(0.0, 1.0) * 1_000.0) as u16;
            (thousandths > 0).then_some((thousandths, locale))
        })
        .collect();
    wanted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    let mut locales: Vec<_> = wanted.into_iter().map(|(_, locale)| locale).collect();
    locales.push(usual);
    locales.dedup();
    locales
}

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH,
    )
}

fn is_harmless(tag: &str) -> bool {
    let inner = tag
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or_default();
    let name = inner
        .trim_start_matches('/')
        .trim_end_matches('/')
        .trim_end();
    INLINE_TAGS.contains(&name)
}

fn is_language_class(class: &str) -> bool {
    class.strip_prefix("language-").is_some_and(|name| {
        (1..=20).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-#".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the property below may meet.
    const ALLOWED: [&str; 25] = [
        "p",
        "em",
        "strong",
        "code",
        "pre",
        "a",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "hr",
        "br",
        "sub",
        "sup",
        "kbd",
        "del",
        "span",
        "table",
        "s",
    ];

    #[test]
    fn renders_what_statements_need() {
        let html = to_html(
            "# Sum\n\nGiven $n < 10^5$ and `x`, H<sub>2</sub>O.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```cpp\nint x;\n```\n\n$$x$$\n",
        );
        for part in [
            "<h1>Sum</h1>",
            r#"<span class="math math-inline">n &lt; 10^5</span>"#,
            "<code>x</code>",
            "H<sub>2</sub>O",
            "<td>1</td>",
            r#"<pre><code class="language-cpp">int x;"#,
            r#"<span class="math math-display">x</span>"#,
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn no_script_style_image_or_foreign_address_survives() {
        let html = to_html(concat!(
            "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> ![a](https://evil.example/pixel.png)\n\n",
            "[a](javascript:alert(1)) [b](data:text/html,x) [c](https://example.org \"t\") [d](//evil.example)\n\n",
            "<style>*{display:none}</style> <iframe src=//x></iframe> <a href='javascript:x' onclick=y>z</a>\n\n",
            "<sub onclick=x>s</sub> <svg/onload=alert(1)>\n\n```\"><script>\nx\n```\n",
        ));
        assert!(html.contains(r#"<a href="https://example.org" title="t" rel="noopener noreferrer nofollow">c</a>"#), "{html}");
        for tag in [
            "<script",
            "<img",
            "<style",
            "<iframe",
            "<svg",
            "<sub ",
            "href=\"javascript",
            "href=\"data",
            "href=\"//",
        ] {
            assert!(!html.contains(tag), "{tag} in {html}");
        }
    }

    proptest! {
        #[test]
        fn nothing_active_survives(markdown in r#"([<>/="'`*_\[\]()!&;: \n]|script|img|src|href|onclick|javascript|style|sub|a|svg|x){0,60}"#) {
            let html = to_html(&markdown);
            for tag in html.split('<').skip(1) {
                let name = tag.trim_start_matches('/');
                let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
                prop_assert!(ALLOWED.contains(&name), "<{tag}");
                let inside = &tag[..tag.find('>').unwrap_or(tag.len())];
                // What stands between quotes is a value, all else are names.
                let names: String = inside.split('"').step_by(2).collect();
                for attribute in names.split_whitespace().skip(1) {
                    let known = ["href=", "title=", "rel=", "class=", "start=", "align=", "/"];
                    prop_assert!(known.contains(&attribute), "<{tag}");
                }
                prop_assert!(!inside.contains("javascript:"), "<{tag}");
            }
        }
    }

    #[test]
    fn hostile_nesting_is_noticed_or_quick() {
        let quotes = ">".repeat(200_000);
        let emphasis = "*a ".repeat(40_000) + &"a* ".repeat(40_000);
        let lists: String = (0..600)
            .map(|depth| " ".repeat(depth * 2) + "- a\n")
            .collect();
        let links = "[".repeat(100_000) + &"](x)".repeat(30_000);
        let tags = "<sub>".repeat(40_000);
        let fences = "`".repeat(500).repeat(3) + &" `a".repeat(50_000);
        for text in [quotes, emphasis, lists, links, tags, fences] {
            let started = std::time::Instant::now();
            if is_shallow(&text) {
                to_html(&text);
            }
            let taken = started.elapsed();
            assert!(taken.as_secs() < 10, "{taken:?} for {}", &text[..20]);
        }
    }

    #[test]
    fn reads_accept_language() {
        use Locale::{En, Ko};
        for (header, usual, expected) in [
            (None, Ko, vec![Ko]),
            (Some("en"), Ko, vec![En, Ko]),
            (
                Some("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"),
                En,
                vec![Ko, En],
            ),
            (Some("fr, en;q=0.2, ko;q=0.8"), En, vec![Ko, En]),
            (Some("en;q=0, ko"), En, vec![Ko, En]),
            (Some("*"), Ko, vec![Ko]),
            (Some(";;q=x,,"), En, vec![En]),
        ] {
            assert_eq!(
                wanted_locales(header, usual)[..expected.len()],
                expected,
                "{header:?}"
            );
        }
    }
}
