//! A headless Chromium with one page, driven over the DevTools protocol, for what only a browser
//! can say about a page. The wire is in `cdp`, finding and starting the program in `launch`; which
//! pages there are and what they must do is left to the tests.

mod cdp;
mod keys;
mod launch;

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use cdp::Cdp;
use launch::Process;

/// How long a page may take to load, and an element to turn up.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(25);

/// The running browser and its page; dropping it ends all its processes.
///
/// Every method panics, with what the page said meanwhile, when the browser or the page fails it.
pub struct Browser {
    cdp: Cdp,
    process: Process,
}

impl Browser {
    /// Starts a browser with a profile of its own and an empty page.
    ///
    /// # Panics
    /// If no browser is installed, with the command that installs one.
    pub async fn start() -> Self {
        let process = Process::start();
        let url = process.devtools_url().await;
        let mut cdp = Cdp::connect(&url).await;
        let target = cdp
            .call("Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = cdp.call("Target.attachToTarget", attach).await;
        cdp.use_session(session["sessionId"].as_str().expect("a session").to_owned());
        for domain in ["Page", "Runtime", "Log"] {
            cdp.call(&format!("{domain}.enable"), json!({})).await;
        }
        Self { cdp, process }
    }

    /// Goes to `url` and waits until the page has loaded.
    pub async fn open(&self, url: &str) {
        let gone = self.cdp.call("Page.navigate", json!({"url": url})).await;
        let error = gone["errorText"].as_str();
        assert!(error.is_none(), "open {url}: {}", error.unwrap_or_default());
        // The call returned when the new document had taken over.
        self.wait_for("document.readyState === 'complete'", PATIENCE)
            .await;
    }

    /// The value of a JavaScript expression; a promise is waited for.
    pub async fn eval(&self, js: &str) -> Value {
        match self.try_eval(js).await {
            Ok(value) => value,
            Err(wrong) => panic!("eval {js}: {wrong}\n{}", self.said()),
        }
    }

    /// Waits until a JavaScript expression is true; while it throws, it is not.
    ///
    /// # Panics
    /// After `deadline`, with what the expression was last and what the page shows.
    pub async fn wait_for(&self, js_condition: &str, deadline: Duration) {
        let condition = format!("Boolean({js_condition})");
        let end = Instant::now() + deadline;
        loop {
            let last = self.try_eval(&condition).await;
            if last == Ok(Value::Bool(true)) {
                return;
            }
            if Instant::now() >= end {
                let shown = self
                    .try_eval("location.href + '\\n' + document.body?.innerText")
                    .await;
                let shown = shown.map(|text| text.as_str().unwrap_or_default().to_owned());
                panic!(
                    "not within {deadline:?}: {js_condition}\nlast: {last:?}\npage: {}\n{}",
                    shown.unwrap_or_default(),
                    self.said()
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The text shown by the first element that fits, once there is one.
    pub async fn text(&self, css: &str) -> String {
        let element = query(css);
        self.wait_for(&element, PATIENCE).await;
        let text = self.eval(&format!("{element}.innerText")).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks the middle of the first element that fits, as a mouse does: once it is there, in
    /// view, and not covered by something else.
    pub async fn click(&self, css: &str) {
        let element = query(css);
        let free = format!(
            "(() => {{
                const element = {element};
                if (!element || element.disabled) return false;
                element.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}});
                const box = element.getBoundingClientRect();
                const at = {{x: box.x + box.width / 2, y: box.y + box.height / 2}};
                const top = document.elementFromPoint(at.x, at.y);
                return element.contains(top) ? at : false;
            }})()"
        );
        self.wait_for(&free, PATIENCE).await;
        let at = self.eval(&free).await;
        assert!(at.is_object(), "click {css}: covered or gone again");
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({"type": kind, "x": at["x"], "y": at["y"], "button": button,
                "buttons": buttons, "clickCount": 1});
            self.cdp.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Replaces the content of a field by `text`, as typing or pasting would.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = query(css);
        self.wait_for(&element, PATIENCE).await;
        let select = format!(
            "(() => {{
                const element = {element};
                element.focus();
                if (element.select) element.select();
                else getSelection().selectAllChildren(element);
                return document.activeElement === element;
            }})()"
        );
        assert_eq!(
            self.eval(&select).await,
            true,
            "fill {css}: it does not take the focus"
        );
        if text.is_empty() {
            self.press("Delete").await;
        } else {
            self.cdp
                .call("Input.insertText", json!({"text": text}))
                .await;
        }
    }

    /// Presses and lets go a key: a character or a name such as `Enter`, `Escape`, `Tab`,
    /// `ArrowDown`, with `Shift+`, `Control+`, `Alt+` or `Meta+` in front.
    pub async fn press(&self, key: &str) {
        for event in keys::events(key) {
            self.cdp.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Writes what the page shows to `path`, as PNG.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let shot = self
            .cdp
            .call("Page.captureScreenshot", json!({"format": "png"}))
            .await;
        let data = shot["data"].as_str().expect("a picture");
        let png = base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("base64");
        let path = path.as_ref();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("folder of the screenshot");
        }
        std::fs::write(path, png).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
    }

    /// Sizes the page, in CSS pixels; `mobile` makes it a telephone with touch.
    pub async fn set_viewport(&self, width: u32, height: u32, mobile: bool) {
        let scale = if mobile { 2 } else { 1 };
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile});
        self.cdp
            .call("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let touch = json!({"enabled": mobile, "maxTouchPoints": if mobile { 5 } else { 1 }});
        self.cdp
            .call("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }

    /// Says whether the person prefers dark pages.
    pub async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        self.cdp
            .call("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// Errors the page has had so far: exceptions, `console.error`, and what the browser itself
    /// complains about, such as files that did not load.
    pub fn errors(&self) -> Vec<String> {
        self.cdp.errors()
    }

    /// The process group of the browser, while it runs.
    pub fn process_group(&self) -> rustix::process::Pid {
        self.process.group()
    }

    async fn try_eval(&self, js: &str) -> Result<Value, String> {
        let ask = json!({"expression": js, "awaitPromise": true, "returnByValue": true, "userGesture": true});
        let answer = self.cdp.try_call("Runtime.evaluate", ask).await?;
        let thrown = &answer["exceptionDetails"];
        if thrown.is_null() {
            return Ok(answer["result"]["value"].clone());
        }
        let text = thrown["exception"]["description"]
            .as_str()
            .or(thrown["text"].as_str());
        Err(text.unwrap_or("it threw").to_owned())
    }

    fn said(&self) -> String {
        let errors = self.errors();
        if errors.is_empty() {
            String::new()
        } else {
            format!("errors of the page: {errors:#?}")
        }
    }
}

fn query(css: &str) -> String {
    format!("document.querySelector({})", json!(css))
}
