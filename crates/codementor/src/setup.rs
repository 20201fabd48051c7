//! `codementor setup`: what must be there before services start. Every step may be run again; none changes what is there.
//!
//! Keys: one Ed25519 key a service, `<name>.pem`, and all public ones together in `trusted.json`. Tables: each service's
//! migrations. Topics: as the contract's table says. The first admin: a one-time code to sign in with.

use std::path::Path;

use anyhow::{Context, Result};
use queue::{KafkaConfig, admin};
use service::{config::DatabaseConfig, database, token};

use crate::{
    cli::{Profile, Setup},
    up::DemoAccount,
};

/// The services that call others, and so have keys.
pub(crate) const CALLERS: [&str; 4] = ["gateway", "execute", "question", "evaluation"];

pub(crate) async fn run(setup: Setup) -> Result<()> {
    if let Some(keys) = &setup.keys {
        make_keys(keys)?;
        println!("keys are in {}", keys.display());
    }
    make_tables(&setup.database.database_url).await?;
    println!("database tables are up to date");
    let profile = match setup.profile {
        Profile::Dev => admin::Profile::Dev,
        Profile::Prod => admin::Profile::Prod,
    };
    admin::create_topics(&setup.kafka, profile)
        .await
        .context("cannot make the topics")?;
    println!("topics are there");
    let pool = gateway_pool(&setup.database.database_url).await?;
    let made = gateway::setup(&pool, setup.admin.as_deref()).await?;
    if made.key_made {
        println!("a key for signing access tokens was made");
    }
    match (&setup.admin, made.code) {
        (Some(email), Some(code)) => {
            println!("one-time code for {email}, to set a password with: {code}");
        }
        (Some(email), None) => println!("{email} is an admin already"),
        (None, _) => {}
    }
    Ok(())
}

/// Makes the keys that are missing, and writes all public ones anew.
pub(crate) fn make_keys(folder: &Path) -> Result<()> {
    token::make_keys(folder, &CALLERS)
        .with_context(|| format!("cannot make keys in {}", folder.display()))
}

/// Brings each service's tables up to date.
pub(crate) async fn make_tables(database_url: &str) -> Result<()> {
    let config = DatabaseConfig::new(database_url);
    for (schema, migrator) in [
        ("gateway", &gateway::MIGRATOR),
        ("execute", &execute::MIGRATOR),
        ("question", &question::MIGRATOR),
        ("evaluation", &evaluation::MIGRATOR),
    ] {
        let pool = database::connect(&config, schema).await?;
        database::migrate(&pool, migrator, schema)
            .await
            .with_context(|| format!("cannot make the tables of {schema}"))?;
        pool.close().await;
    }
    Ok(())
}

/// Makes the topics of a laptop.
pub(crate) async fn make_topics(brokers: &str, prefix: &str) -> Result<()> {
    let config = KafkaConfig::new(brokers, prefix);
    admin::create_topics(&config, admin::Profile::Dev)
        .await
        .context("cannot make the topics")
}

/// Makes the signing key and the accounts of a laptop, or gives them these passwords.
pub(crate) async fn make_demo_accounts(database_url: &str, accounts: &[DemoAccount]) -> Result<()> {
    let pool = gateway_pool(database_url).await?;
    gateway::setup(&pool, None).await?;
    for account in accounts {
        let DemoAccount {
            role,
            email,
            password,
        } = account;
        gateway::setup::demo_account(&pool, email, password, *role).await?;
    }
    pool.close().await;
    Ok(())
}

async fn gateway_pool(database_url: &str) -> Result<sqlx::PgPool> {
    let pool = database::connect(&DatabaseConfig::new(database_url), "gateway").await?;
    Ok(pool)
}
