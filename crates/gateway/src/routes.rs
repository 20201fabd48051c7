//! Every route of the gateway on one screen: its own, those of streams, and the prefixes that belong to others.

mod accounts;
mod auth;
mod import;
mod me;
mod page;
mod polled;
mod streams;
mod tokens;
mod well_known;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};
use contract::EventBody;
use http::{HeaderName, HeaderValue, header};
use service::Problem;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, OpenApi, Ref, ResponseBuilder,
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{proxy::pass_on, state::App};

/// The routes that are described here; those of services are described by them.
fn own() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(auth::register))
        .routes(routes!(auth::login))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::reset))
        .routes(routes!(me::show, me::change))
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::revoke))
        .routes(routes!(accounts::list))
        .routes(routes!(import::import))
        .routes(routes!(accounts::change))
        .routes(routes!(accounts::make_reset_code))
        .routes(routes!(well_known::jwks))
        .routes(routes!(streams::submission_events))
        .routes(routes!(streams::run_events))
        .routes(routes!(polled::batch_events))
}

/// All routes.
pub fn router(app: App) -> Router {
    let (own, _) = own().split_for_parts();
    let mut router = own
        .route("/", get(page::show))
        .route("/api/docs", get(page::docs))
        .route("/api/openapi.json", get(page::description))
        .route(
            "/api/v1/submissions",
            post(streams::submit).fallback(pass_on),
        )
        .route("/api/v1/runs", post(streams::submit).fallback(pass_on))
        .route("/api/v1/feed", get(polled::feed).fallback(pass_on));
    // Named one by one, so that metrics tell them apart.
    for resource in [
        "questions",
        "submissions",
        "runs",
        "rejudges",
        "batches",
        "languages",
        "usage",
        "dead-letters",
    ] {
        let below = format!("/api/v1/{resource}");
        router = if ["submissions", "runs", "batches"].contains(&resource) {
            // A wildcard would not stand beside `{id}/events`, which is ours.
            router
                .route(&format!("{below}/{{id}}"), any(pass_on))
                .route(&format!("{below}/{{id}}/{{part}}"), any(pass_on))
        } else {
            router
                .route(&below, any(pass_on))
                .route(&format!("{below}/{{*rest}}"), any(pass_on))
        };
    }
    router
        .fallback(page::or_pass_on)
        .layer(middleware::from_fn_with_state(app.clone(), harden))
        .with_state(app)
}

/// Our part of the public description.
pub fn openapi() -> OpenApi {
    let mut openapi = own().into_openapi();
    let components = openapi.components.get_or_insert_default();
    // Responses name it without bringing it along.
    let mut named = vec![
        ("Problem".to_owned(), Problem::schema()),
        ("EventBody".to_owned(), EventBody::schema()),
    ];
    Problem::schemas(&mut named);
    EventBody::schemas(&mut named);
    components.schemas.extend(named);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token of `POST /api/v1/auth/login`, or a personal API token `cm_pat_…`; never in a URL."))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::new("codementor_refresh");
    components.add_security_scheme(
        "refresh_cookie",
        SecurityScheme::ApiKey(ApiKey::Cookie(cookie)),
    );
    openapi.security = Some(vec![SecurityRequirement::new(
        "bearer",
        Vec::<String>::new(),
    )]);
    openapi
}

/// Adds to execute's description of its two POSTs what the gateway makes of them for `Accept: text/event-stream`.
pub fn document_streams(openapi: &mut OpenApi) {
    for path in ["/api/v1/submissions", "/api/v1/runs"] {
        let post = openapi
            .paths
            .paths
            .get_mut(path)
            .and_then(|item| item.post.as_mut());
        let Some(post) = post else { continue };
        let body = Content::new(Some(Ref::from_schema_name("ServerSentEvent")));
        let response = ResponseBuilder::new()
            .description("with `Accept: text/event-stream`: its stream, from the receipt on")
            .content("text/event-stream", body)
            .build();
        post.responses
            .responses
            .insert("200".to_owned(), response.into());
    }
}

/// What every answer says to a browser, unless the route says something narrower.
async fn harden(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let mut say = |name: HeaderName, value: &'static str| {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    say(header::CACHE_CONTROL, "no-store");
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::REFERRER_POLICY, "no-referrer");
    say(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    say(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    say(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    if app.settings.https {
        say(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}
