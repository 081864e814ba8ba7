//! Pipeline documents as raw JSON: what AWS sent is what is read, and what is given is what is sent, byte for byte.
//! The SDK signs, retries and carries; its typed pipeline, which drops fields that it does not know, is never looked at.

use std::sync::{Arc, Mutex};

use aws_sdk_codepipeline::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_codepipeline::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_codepipeline::error::BoxError;
use aws_sdk_codepipeline::operation::RequestId;
use aws_sdk_codepipeline::types::PipelineDeclaration;
use aws_smithy_types::body::SdkBody;

use super::errors::{Call, Failure, is_absent};
use super::hide::hide;
use super::pages::names_another;
use super::slow_down::NeverBlindly;
use super::{Answer, Outcome};
use crate::model::name::PipelineName;
use crate::model::pipeline::PipelineDocument;
use crate::model::read::{Fact, LISTED_PAGES, Listed};
use crate::model::write::Written;

/// `codepipeline:GetPipeline`: the newest version of the document.
pub(super) async fn get(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
) -> Outcome<Fact> {
    Ok(document(client, call, name, None)
        .await?
        .map(Fact::Pipeline))
}

/// `codepipeline:GetPipeline` of an earlier version.
pub(super) async fn get_version(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
    version: u64,
) -> Outcome<Fact> {
    // AWS counts in 32 bits: what is beyond it has no version of.
    let Ok(number) = i32::try_from(version) else {
        return Ok(Answer {
            value: Fact::PipelineVersion(None),
            request_id: None,
        });
    };
    let Answer { value, request_id } = document(client, call, name, Some(number)).await?;
    Ok(Answer {
        value: Fact::PipelineVersion(value),
        request_id,
    })
}

async fn document(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
    version: Option<i32>,
) -> Outcome<Option<Box<PipelineDocument>>> {
    let capture = CaptureBody::default();
    let result = client
        .get_pipeline()
        .name(name.as_str())
        .set_version(version)
        .customize()
        .interceptor(capture.clone())
        .send()
        .await;
    let request_id = result.request_id().map(str::to_owned);
    let Some(body) = capture.take() else {
        return match result {
            Err(e) if is_absent(&e) => Ok(Answer {
                value: None,
                request_id,
            }),
            Err(e) => Err(call.failed(&e)),
            Ok(_) => Err(Failure::malformed(
                "the answer has no body",
                request_id.as_deref(),
            )),
        };
    };
    let document = parse(&body, request_id.as_deref())?;
    Ok(Answer {
        value: Some(Box::new(document)),
        request_id,
    })
}

/// `codepipeline:ListPipelines`: the names.
pub(super) async fn list(client: &aws_sdk_codepipeline::Client, call: &Call<'_>) -> Outcome<Fact> {
    let mut pages = client.list_pipelines().into_paginator().send();
    let (mut names, mut request_id) = (Vec::new(), None);
    let mut more = false;
    for _ in 0..LISTED_PAGES {
        let Some(page) = pages.next().await else {
            let listed = Listed {
                names,
                functions: Vec::new(),
                // The SDK stops where a page names itself as the next one.
                complete: !more,
            };
            return Ok(Answer {
                value: Fact::Pipelines(listed),
                request_id,
            });
        };
        let page = page.map_err(|e| call.failed(&e))?;
        request_id = page.request_id().map(str::to_owned);
        more = names_another(page.next_token());
        // A list that is missing would read like one that is empty, in which nothing is left behind.
        let found = page.pipelines.ok_or_else(|| {
            Failure::malformed("the answer has no pipelines", request_id.as_deref())
        })?;
        names.extend(found.into_iter().filter_map(|one| one.name));
    }
    let listed = Listed {
        names,
        functions: Vec::new(),
        complete: false,
    };
    Ok(Answer {
        value: Fact::Pipelines(listed),
        request_id,
    })
}

/// `codepipeline:UpdatePipeline`: replaces the whole document (api: UpdatePipeline). It is not sent again where its answer is
/// lost: AWS has no compare-and-swap, so whether it may be is seen only in the pipeline as it is then.
pub(super) async fn update(
    client: &aws_sdk_codepipeline::Client,
    call: &Call<'_>,
    name: &PipelineName,
    document: &PipelineDocument,
) -> Outcome<Written> {
    let capture = CaptureBody::default();
    let result = client
        .update_pipeline()
        .pipeline(stand_in(name)?)
        .customize()
        .config_override(Builder::new().retry_classifier(NeverBlindly))
        .interceptor(ReplaceBody::new(document.to_request_body()))
        .interceptor(capture.clone())
        .send()
        .await;
    let request_id = result.request_id().map(str::to_owned);
    let body = capture.take();
    if let (None, Err(e)) = (&body, &result) {
        // AWS may repeat what it refuses.
        return Err(hide(call.failed(e), document.secrets()));
    }
    // The write is done: an answer that cannot be understood only means that the version is not known.
    let version = body.and_then(|body| version_of(&body));
    Ok(Answer {
        value: Written::Pipeline { version },
        request_id,
    })
}

fn parse(body: &[u8], request_id: Option<&str>) -> Result<PipelineDocument, Failure> {
    let text = std::str::from_utf8(body).map_err(|e| Failure::malformed(e, request_id))?;
    PipelineDocument::parse(text).map_err(|e| Failure::malformed(e, request_id))
}

/// The new version alone: nothing else of the answer is needed, so nothing else of it has to be understood.
fn version_of(body: &[u8]) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    answer.pointer("/pipeline/version")?.as_u64()
}

/// The least that the SDK's builder accepts. It is serialised and then thrown away by [`ReplaceBody`].
fn stand_in(name: &PipelineName) -> Result<PipelineDeclaration, Failure> {
    PipelineDeclaration::builder()
        .name(name.as_str())
        .role_arn("arn:aws:iam::000000000000:role/replaced")
        .set_stages(Some(Vec::new()))
        .build()
        .map_err(|e| Failure::unbuildable(&e))
}

/// Keeps the body of the last answer that AWS gave with a 200.
///
/// `read_after_deserialization` runs whether or not the SDK could read the body, so that a shape that it does not know
/// costs nothing. Each attempt forgets the one before it.
#[derive(Debug, Clone, Default)]
struct CaptureBody(Arc<Mutex<Option<Vec<u8>>>>);

impl CaptureBody {
    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().ok()?.take()
    }
}

impl Intercept for CaptureBody {
    fn name(&self) -> &'static str {
        "CaptureBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = match response.status().as_u16() {
            200 => response.body().bytes().map(<[u8]>::to_vec),
            _ => None,
        };
        if let Ok(mut slot) = self.0.lock() {
            *slot = body;
        }
        Ok(())
    }
}

/// Puts a body of our own into the request before it is signed, so that the signature is that of our body.
struct ReplaceBody(String);

impl ReplaceBody {
    fn new(body: String) -> Self {
        Self(body)
    }
}

/// Shows the length only: a document may hold a secret that the caller put in the place of `****`.
impl std::fmt::Debug for ReplaceBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReplaceBody({} bytes)", self.0.len())
    }
}

impl Intercept for ReplaceBody {
    fn name(&self) -> &'static str {
        "ReplaceBody"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request
            .headers_mut()
            .insert("content-length", self.0.len().to_string());
        *request.body_mut() = SdkBody::from(self.0.as_str());
        Ok(())
    }
}
