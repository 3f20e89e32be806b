use super::*;

fn found(said: &Value, scope: Scope) -> Vec<Hit> {
    list(said, scope.lists()).iter().filter_map(hit).collect()
}

#[test]
fn lists_are_found_under_any_name() {
    let one = json!({"title": "T", "link": "https://e.org", "snippet": "s"});
    for said in [
        json!({"webpages": [one]}),
        json!({"scholars": [one], "webpages": []}),
        json!({"searchParameters": {"q": "x"}, "whatever": [one], "tags": ["a"]}),
        json!({"data": {"list": [one]}}),
        json!({"result": {"scholars": [one]}}),
    ] {
        let hits = found(&said, Scope::Paper);
        assert_eq!(hits.len(), 1, "{said}");
        assert_eq!(hits[0].title, "T");
    }
    for said in [
        json!({}),
        json!({"webpages": null}),
        json!([]),
        json!("x"),
        json!({"webpages": [[1]]}),
    ] {
        assert!(found(&said, Scope::Webpage).is_empty(), "{said}");
    }
}

#[test]
fn fields_may_be_missing_or_odd() {
    let said = json!({"webpages": [
        {"title": 5, "url": "https://e.org/1", "author": "One", "publishedDate": "2026"},
        {"snippet": "neither title nor link"},
        {"title": "x".repeat(9_000), "authors": [{"name": "A"}, "B", 3]},
    ]});
    let hits = found(&said, Scope::Webpage);
    assert_eq!(hits.len(), 2);
    assert_eq!(hits[0].link, "https://e.org/1");
    assert_eq!(
        (hits[0].authors.as_slice(), hits[0].date.as_str()),
        (&["One".to_owned()][..], "2026")
    );
    assert_eq!(hits[1].title.len(), FIELD);
    assert_eq!(hits[1].authors, ["A", "B"]);
}

#[test]
fn sources_of_any_shape_are_taken() {
    let message = json!({"role": "assistant", "content": "Because."});
    let with = |at: &str, sources: Value| {
        let mut said = json!({"choices": [{"message": message}]});
        match at {
            "message" => said["choices"][0]["message"]["citations"] = sources,
            "choice" => said["choices"][0]["references"] = sources,
            _ => said["sources"] = sources,
        }
        answer(&said).unwrap()
    };
    let objects = json!([{"title": "T", "url": "https://e.org"}]);
    for at in ["message", "choice", "top"] {
        let answer = with(at, objects.clone());
        assert_eq!(answer.text, "Because.");
        assert_eq!(answer.sources[0].link, "https://e.org", "{at}");
    }
    assert_eq!(
        with("top", json!(["https://e.org/a"])).sources[0].link,
        "https://e.org/a"
    );
    assert!(with("top", json!("odd")).sources.is_empty());
    assert_eq!(answer(&json!({"answer": "Yes"})).unwrap().text, "Yes");
    assert_eq!(
        answer(&json!({"data": {"content": "Yes"}})).unwrap().text,
        "Yes"
    );
    assert!(answer(&json!({"choices": []})).is_none());
}

#[test]
fn errors_come_in_two_ways() {
    let inside = |code: u64, why: &str| judge(200, Some(json!({"errCode": code, "errMsg": why})));
    assert_eq!(inside(2005, "key"), Err(WebText::BadKey));
    assert_eq!(inside(3003, "limit"), Err(WebText::Exhausted));
    let why = "参数错误".to_owned();
    assert_eq!(
        inside(1000, "参数错误"),
        Err(WebText::ServiceRefused { why })
    );
    let texted = judge(200, Some(json!({"errCode": "2005"})));
    assert_eq!(texted, Err(WebText::BadKey));
    assert_eq!(judge(401, None), Err(WebText::BadKey));
    assert_eq!(judge(403, Some(json!({}))), Err(WebText::BadKey));
    let limit = judge(403, Some(json!({"errCode": 3003, "errMsg": "limit"})));
    assert_eq!(limit, Err(WebText::Exhausted));
    assert_eq!(judge(429, None), Err(WebText::TooFast));
    assert_eq!(
        judge(500, None),
        Err(WebText::ServiceFailed { status: 500 })
    );
    assert_eq!(judge(200, None), Err(WebText::ServiceUnclear));
    let why = "no such scope".to_owned();
    let nested = json!({"error": {"message": "no such scope"}});
    assert_eq!(
        judge(400, Some(nested)),
        Err(WebText::ServiceRefused { why })
    );
    for good in [
        json!({"webpages": []}),
        json!({"errCode": 0, "errMsg": "", "x": 1}),
        json!({"code": 200}),
    ] {
        assert_eq!(judge(200, Some(good.clone())), Ok(good));
    }
}
