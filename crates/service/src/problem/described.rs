//! The problem in the description of the API.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{Content, Ref, RefOr, ResponseBuilder, Schema},
};

use super::{Body, CONTENT_TYPE_PROBLEM, Problem};

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Body::schemas(schemas);
    }
}

/// `responses(…, Problem)` in a route's description: any other status is a problem.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let schema = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description("what went wrong, and what to do")
            .content(CONTENT_TYPE_PROBLEM, schema)
            .build();
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}
