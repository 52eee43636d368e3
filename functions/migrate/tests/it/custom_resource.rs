//! CloudFormation's protocol, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Method;
use icegate_function_host::events::Handler;
use icegate_model::Table;
use icegate_testkit::{Call, Fate, FaultyStore, Network, Trouble, When};
use serde_json::{Value, json};

use crate::answers::{Answers, QUERY};
use crate::world::{World, invocation};

const LONG: Duration = Duration::from_secs(120);

fn event(kind: &str, url: &str) -> Value {
    json!({
        "RequestType": kind, "ServiceToken": "arn:aws:lambda:eu-west-1:1:function:migrate", "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:eu-west-1:1:stack/icegate/1", "RequestId": "request-1", "LogicalResourceId": "Tables",
        "ResourceType": "Custom::IceGateTables",
        "ResourceProperties": {"ServiceToken": "arn:aws:lambda:eu-west-1:1:function:migrate", "Release": "1"},
    })
}

/// A store that is down, or that never answers.
#[derive(Debug)]
struct Down {
    silent: bool,
}

#[async_trait]
impl Network for Down {
    async fn request(&self, _: &Call) -> Fate {
        if self.silent {
            std::future::pending::<()>().await;
        }
        Fate { trouble: Some((When::Before, Trouble::Internal)), truncated: false }
    }

    async fn reply(&self, _: &Call, _: Fate, _: Option<Result<(), &object_store::Error>>) {}
}

#[tokio::test]
async fn a_new_stack_gets_its_tables_and_the_answer_goes_to_the_signed_url() {
    let (world, answers) = (World::new(), Answers::start(&[]).await);
    let migrate = world.environment(|store| store).await;
    migrate.handle(event("Create", &answers.url), &invocation(LONG)).await.unwrap();
    assert_eq!(world.tables().await, Table::ALL);
    let [arrived] = answers.arrived().try_into().unwrap();
    assert_eq!(arrived.method, Method::PUT);
    assert_eq!(arrived.uri, format!("/arn%3Aaws%3Acloudformation?{QUERY}"), "what was signed is sent as it is");
    assert_eq!(arrived.content_type, None, "the URL is signed without one");
    let expected = json!({
        "Status": "SUCCESS", "Reason": "", "PhysicalResourceId": "icegate-Tables",
        "StackId": "arn:aws:cloudformation:eu-west-1:1:stack/icegate/1", "RequestId": "request-1", "LogicalResourceId": "Tables",
        "NoEcho": false, "Data": {"Changes": 4},
    });
    assert_eq!(arrived.body, expected);
}

#[tokio::test]
async fn an_update_keeps_the_resource_and_a_delete_keeps_the_tables() {
    let (world, answers) = (World::new(), Answers::start(&[]).await);
    let migrate = world.environment(|store| store).await;
    for kind in ["Create", "Update", "Delete"] {
        let mut event = event(kind, &answers.url);
        if kind != "Create" {
            event["PhysicalResourceId"] = json!("of an earlier release");
        }
        migrate.handle(event, &invocation(LONG)).await.unwrap();
        assert_eq!(world.tables().await, Table::ALL, "after {kind}");
    }
    let ids: Vec<_> = answers.arrived().into_iter().map(|arrived| arrived.body["PhysicalResourceId"].clone()).collect();
    assert_eq!(ids, ["icegate-Tables", "of an earlier release", "of an earlier release"]);
    assert!(answers.arrived().iter().all(|arrived| arrived.body["Status"] == "SUCCESS"));
}

#[tokio::test]
async fn a_delete_is_answered_also_where_the_storage_is_gone() {
    let (world, answers) = (World::new(), Answers::start(&[]).await);
    let migrate = world.environment(|store| Arc::new(FaultyStore::new(store, Arc::new(Down { silent: true })))).await;
    migrate.handle(event("Delete", &answers.url), &invocation(LONG)).await.unwrap();
    assert_eq!(answers.arrived()[0].body["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_migration_that_fails_fails_the_deployment_with_the_reason() {
    let (world, answers) = (World::new(), Answers::start(&[]).await);
    let migrate = world.environment(|store| Arc::new(FaultyStore::new(store, Arc::new(Down { silent: false })))).await;
    let reply = migrate.handle(event("Create", &answers.url), &invocation(LONG)).await.unwrap();
    assert_eq!(reply["Status"], "FAILED", "it is reported, so that Lambda does not try it again");
    let [arrived] = answers.arrived().try_into().unwrap();
    assert_eq!(arrived.body["Status"], "FAILED");
    assert!(arrived.body["Reason"].as_str().unwrap().contains("500 Internal Server Error"), "{}", arrived.body);
}

#[tokio::test]
async fn a_storage_that_is_silent_fails_the_deployment_before_the_function_is_killed() {
    let (world, answers) = (World::new(), Answers::start(&[]).await);
    let migrate = world.environment(|store| Arc::new(FaultyStore::new(store, Arc::new(Down { silent: true })))).await;
    migrate.handle(event("Create", &answers.url), &invocation(Duration::from_secs(4))).await.unwrap();
    let [arrived] = answers.arrived().try_into().unwrap();
    assert_eq!(arrived.body["Status"], "FAILED");
    assert!(arrived.body["Reason"].as_str().unwrap().contains("time is up"), "{}", arrived.body);
}

#[tokio::test]
async fn an_unknown_kind_of_request_fails_by_name() {
    let (world, answers) = (World::new(), Answers::start(&[]).await);
    let migrate = world.environment(|store| store).await;
    migrate.handle(event("Replace", &answers.url), &invocation(LONG)).await.unwrap();
    assert_eq!(answers.arrived()[0].body["Reason"], "/RequestType is missing or not Create, Update or Delete");
    assert!(world.tables().await.is_empty());
}

#[tokio::test]
async fn an_answer_that_is_not_taken_at_first_is_sent_again() {
    let (world, answers) = (World::new(), Answers::start(&[503, 500]).await);
    let migrate = world.environment(|store| store).await;
    migrate.handle(event("Create", &answers.url), &invocation(LONG)).await.unwrap();
    assert_eq!(answers.arrived().len(), 3);
}

#[tokio::test]
async fn an_answer_that_is_never_taken_fails_the_invocation_without_the_url() {
    let (world, answers) = (World::new(), Answers::start(&[403; 9]).await);
    let migrate = world.environment(|store| store).await;
    let error = migrate.handle(event("Create", &answers.url), &invocation(LONG)).await.unwrap_err().to_string();
    assert_eq!(error, "CloudFormation does not take the answer: status 403");
    let gone = event("Create", "http://127.0.0.1:1/?X-Amz-Signature=hunter2");
    let error = migrate.handle(gone, &invocation(LONG)).await.unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}
