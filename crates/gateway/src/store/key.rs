//! Signing keys.

use sqlx::{FromRow, PgConnection, PgExecutor};

use crate::access_token::{LIFETIME_SECONDS, SigningPair};

#[derive(Debug, FromRow)]
struct Row {
    kid: String,
    private_key: Vec<u8>,
    public_key: Vec<u8>,
    retired: bool,
}

/// All keys that a good token may be signed with, the newest first: the one to sign with, and the public ones.
pub(crate) async fn load(
    db: impl PgExecutor<'_>,
) -> sqlx::Result<(Option<SigningPair>, Vec<(String, [u8; 32])>)> {
    let rows: Vec<Row> = sqlx::query_as(
        r"
        select kid, private_key, public_key, retired_at is not null as retired
        from gateway.signing_key
        where retired_at is null or retired_at > now() - make_interval(secs => $1)
        order by created_at desc, kid desc
        ",
    )
    // Clocks differ a little, and a gateway that has not heard of the newer key yet signs on with this one.
    .bind(f64::from(
        i32::try_from(2 * LIFETIME_SECONDS).unwrap_or(i32::MAX),
    ))
    .fetch_all(db)
    .await?;
    let mut signing = None;
    let mut public = Vec::with_capacity(rows.len());
    for row in rows {
        let odd =
            || sqlx::Error::Decode(format!("signing key {} has not 32 bytes", row.kid).into());
        let key: [u8; 32] = row.public_key.as_slice().try_into().map_err(|_| odd())?;
        if signing.is_none() && !row.retired {
            let seed = row.private_key.as_slice().try_into().map_err(|_| odd())?;
            signing = Some(SigningPair::from_seed(row.kid.clone(), &seed));
        }
        public.push((row.kid, key));
    }
    Ok((signing, public))
}

/// Makes a key that signs from now on and retires the others. With `only_first`, does so only when none signs; whether it did.
pub(crate) async fn add(
    db: &mut PgConnection,
    pair: &SigningPair,
    only_first: bool,
) -> sqlx::Result<bool> {
    // One at a time: two set-ups at once make one key.
    sqlx::query("lock table gateway.signing_key in share row exclusive mode")
        .execute(&mut *db)
        .await?;
    let added = sqlx::query(
        r"
        insert into gateway.signing_key (kid, private_key, public_key)
        select $1, $2, $3
        where not ($4 and exists (select from gateway.signing_key where retired_at is null))
        ",
    )
    .bind(&pair.kid)
    .bind(pair.seed().as_slice())
    .bind(pair.public().as_slice())
    .bind(only_first)
    .execute(&mut *db)
    .await?
    .rows_affected()
        > 0;
    if added {
        sqlx::query("update gateway.signing_key set retired_at = now() where kid <> $1 and retired_at is null")
            .bind(&pair.kid)
            .execute(db)
            .await?;
    }
    Ok(added)
}
