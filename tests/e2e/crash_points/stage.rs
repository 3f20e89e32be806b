//! A hub, a node, and a person in front of them: one of the three processes dies at a crash point,
//! is started again, and the person goes on as people do. What must be true in the end is asked of
//! the chat, the model and the disk.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kit::feishu::BotMessage;
use rustix::process::Signal;

use super::job::{Job, lines_in};
use super::person::Person;
use crate::crash::lives_in;
use crate::processes::{Hub, free_port};
use crate::world::{LONG, Phonework, World, processes, until};

mod broker;
mod check;
pub(super) use broker::inside;

/// What the agent is told when a turn is taken up again.
const GO_ON: &str = "was interrupted. Please go on with it";
/// A job with a question, then the answer.
pub(super) const ASKS: &str = "{line} ;; {answer}";
/// Time for a row; a restart after a death in the middle of something waits up to ten seconds.
pub(super) const ROW: Duration = Duration::from_secs(90);
/// How often is looked.
pub(super) const EVERY: Duration = Duration::from_millis(20);

/// Whether these words are a prompt, and not a request to go on with it.
fn begins(words: &str, prompt: &str) -> bool {
    words.contains(prompt) && !words.contains(GO_ON)
}

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Router,
    Gateway,
    Host,
}

/// The whole stage.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) person: Person,
    pub(super) hub: Hub,
    /// The node's folder.
    dir: PathBuf,
    router: Option<Phonework>,
    gateway: Option<Phonework>,
    host: Option<Phonework>,
    jobs: Vec<Job>,
    /// Sessions are left at the end, as nobody closes them.
    stays: bool,
}

impl Stage {
    pub(super) async fn start() -> Self {
        let mut world = World::start().await;
        // A page that is open finds a gateway that came back at the same place.
        world.port = free_port();
        let hub = Hub::start(&mut world).await;
        let router = world.role("router");
        let gateway = world.role("gateway");
        let dir = enroll(&world, "a");
        let host = world.host("a", &dir);
        world.connected().await;
        router.says("node is on node=a").await;
        Self {
            person: Person::default(),
            world,
            hub,
            dir,
            router: Some(router),
            gateway: Some(gateway),
            host: Some(host),
            jobs: Vec::new(),
            stays: false,
        }
    }

    /// A job that the model knows. `script` is what it does when it hears of it, with `{line}` for
    /// the command, `{answer}` for the answer, and `{hold}` for one that stops half-way. Told to go
    /// on, it looks what is done already.
    pub(super) fn job(&mut self, at: &str, folder: Option<&str>, script: &str) -> Job {
        let n = self.jobs.len() + 1;
        let name = format!("d{n:03}");
        let folder = folder.unwrap_or(&name).to_owned();
        let work = self.dir.join("work").join(&folder);
        let job = Job {
            prompt: format!("job-{n:03}"),
            answer: format!("done-{n:03}"),
            file: work.join(format!("ran-{n:03}.txt")),
            folder,
            hold: format!("hold-{n:03}"),
            lines: usize::from(script.contains("{line}")),
            turns: 1,
            answers: 1,
            at: at.to_owned(),
        };
        let line = format!(r#"tool Bash {{"command":"echo line >> ran-{n:03}.txt"}}"#);
        let says = format!("text {} {{tool_result}}", job.answer);
        let hold = format!("hold {} {}", job.hold, job.answer);
        let first = script
            .replace("{line}", &line)
            .replace("{answer}", &says)
            .replace("{hold}", &hold);
        let model = &self.world.model;
        let prompt = job.prompt.clone();
        model.rule(move |words| begins(words, &prompt), &first);
        let goes_on = |done: bool| {
            let (prompt, file, wanted) = (job.prompt.clone(), job.file.clone(), job.lines);
            move |words: &str| {
                let mine = words.contains(&prompt) && words.contains(GO_ON);
                mine && (lines_in(&file) >= wanted) == done
            }
        };
        model.rule(goes_on(false), &format!("{line} ;; {says}"));
        let told = format!("text {}", job.answer);
        model.rule(goes_on(true), &format!("{told} ;; {told}"));
        self.jobs.push(job.clone());
        job
    }

    /// Waits until the router knows that a node is on.
    pub(super) async fn is_on(&self, node: &str) {
        let router = self.router.as_ref().expect("it was started");
        router.says(&format!("node is on node={node}")).await;
    }

    /// The link to the page.
    pub(super) fn link(&self) -> String {
        self.gateway.as_ref().expect("it was started").link()
    }

    fn running(&mut self, role: Role) -> &mut Option<Phonework> {
        match role {
            Role::Router => &mut self.router,
            Role::Gateway => &mut self.gateway,
            Role::Host => &mut self.host,
        }
    }

    /// Starts a role, to die at a crash point or to live.
    pub(super) async fn begin(&mut self, role: Role, at: Option<&str>) {
        let world = &self.world;
        let (name, host) = match role {
            Role::Router => ("router", None),
            Role::Gateway => ("gateway", None),
            Role::Host => ("host", Some(self.dir.as_path())),
        };
        let process = match (at, host) {
            (Some(at), host) => world.dying(name, host, at),
            (None, Some(dir)) => world.host("a", dir),
            (None, None) => world.role(name),
        };
        if role == Role::Gateway {
            world.connected().await;
        }
        *self.running(role) = Some(process);
    }

    /// Ends a role in good order.
    pub(super) async fn end(&mut self, role: Role) {
        if let Some(process) = self.running(role).take() {
            if role == Role::Host {
                // Before that it does not listen to signals.
                process.says("host is up").await;
            }
            let (status, _) = process.stop().await;
            assert!(status.success(), "{role:?} ended with {status}");
        }
        if role == Role::Gateway {
            self.cut_off().await;
        }
    }

    /// Waits until the platform has seen that the gateway is gone.
    async fn cut_off(&self) {
        let gone = |f: &kit::feishu::Feishu| f.connections().iter().all(|c| !c.is_open());
        self.world.feishu.wait_until(gone, LONG).await.unwrap();
    }

    /// `kill -9`, not at a crash point.
    pub(super) fn kill(&mut self, role: Role) {
        if let Some(process) = self.running(role).take() {
            process.kill();
        }
    }

    /// From now on the role is one that dies at `at`.
    pub(super) async fn arm(&mut self, role: Role, at: &str) {
        self.end(role).await;
        self.begin(role, Some(at)).await;
    }

    /// Plays the person until the role has died at `at`, starts it again, and goes on until `done`.
    pub(super) async fn plays(&mut self, role: Role, at: &str, done: impl Fn(&World) -> bool) {
        self.dies(role, at).await;
        self.goes_on(at, done).await;
    }

    /// Plays the person until the role has died at `at`, and starts it again.
    pub(super) async fn dies(&mut self, role: Role, at: &str) {
        let deadline = Instant::now() + ROW;
        while !self.has_died(role, at) {
            self.in_time(deadline, at, "it never came there");
            self.person.acts(&self.world).await;
            tokio::time::sleep(EVERY).await;
        }
        self.comes_back(role).await;
    }

    /// Waits until the role has died at `at`, while the person does nothing.
    pub(super) async fn waits_for_the_death(&mut self, role: Role, at: &str) {
        let deadline = Instant::now() + LONG;
        while !self.has_died(role, at) {
            self.in_time(deadline, at, "it never came there by itself");
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Whether the role has died; anywhere else than at `at` it must not.
    pub(super) fn has_died(&mut self, role: Role, at: &str) -> bool {
        let process = self.running(role).as_mut().expect("it was started");
        let Some(status) = process.has_ended() else {
            return false;
        };
        let name = at.split('@').next().unwrap_or(at);
        let said = process.log().contains(&format!("dies at {name}\n"));
        let killed = status.signal() == Some(Signal::KILL.as_raw());
        assert!(
            said && killed,
            "{at}: it ended otherwise ({status})\n{}",
            self.world.logs()
        );
        true
    }

    /// Starts a role that has died.
    pub(super) async fn comes_back(&mut self, role: Role) {
        if role == Role::Gateway {
            self.cut_off().await;
        }
        self.begin(role, None).await;
    }

    pub(super) fn in_time(&self, deadline: Instant, at: &str, what: &str) {
        assert!(
            Instant::now() < deadline,
            "{at}: {what}\n{}\n{}",
            self.world.feishu.story(),
            self.world.logs()
        );
    }

    /// Plays the person until `done`.
    pub(super) async fn goes_on(&mut self, at: &str, done: impl Fn(&World) -> bool) {
        let deadline = Instant::now() + ROW;
        while !done(&self.world) {
            self.in_time(deadline, at, "it never came to an end");
            self.person.acts(&self.world).await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// It gets no answer there, as the person gives it up, or it is answered elsewhere.
    pub(super) fn is_not_in_the_chat(&mut self, job: &mut Job) {
        job.answers = 0;
        self.now_is(job);
    }

    /// It is taken back before it runs.
    pub(super) fn never_runs(&mut self, job: &mut Job) {
        (job.turns, job.lines, job.answers) = (0, 0, 0);
        self.now_is(job);
    }

    /// It is handed into the turn of another, and has none of its own.
    pub(super) fn hands_in(&mut self, job: &mut Job) {
        job.turns = 0;
        self.now_is(job);
    }

    fn now_is(&mut self, job: &Job) {
        for known in self.jobs.iter_mut().filter(|one| one.prompt == job.prompt) {
            known.clone_from(job);
        }
    }

    /// The session goes, so that the next row begins with none.
    pub(super) async fn closes(&mut self, job: &Job) {
        self.world.anna().say("/close");
        let closed = format!("({}) is closed", job.folder);
        self.goes_on(&job.at, |world| world.count(&closed) == 1)
            .await;
    }

    /// Sessions that nobody closes may be left at the end; nor can a host be asked that comes late.
    pub(super) fn leaves_sessions(&mut self) {
        self.stays = true;
    }

    /// Once more everything, now that what comes late has come, and that nothing is left over.
    pub(super) async fn curtain(mut self) {
        self.nothing_comes_again("at the end").await;
        // What is shown comes in order: behind this nothing of before is on its way.
        let id = self.world.anna().say("/status");
        // Not the word that it waits, if the host is only just coming.
        let reply = |m: &BotMessage| {
            m.reply_to.as_deref() == Some(id.as_str()) && m.text().contains("Mode")
        };
        let status = self.world.sees_that(reply).await.text();
        let none = status.contains("No sessions");
        assert!(none || self.stays, "sessions that are left: {status}");
        for job in self.jobs.clone() {
            self.check(&job);
        }
        self.nothing_is_open().await;
        for role in [Role::Host, Role::Gateway, Role::Router] {
            self.end(role).await;
        }
        let home = self.world.home.root().display().to_string();
        until(LONG, "the end of every process", || {
            processes(&["--input-format stream-json"])
                .iter()
                .all(|pid| !lives_in(*pid, &home))
        })
        .await;
        self.world.no_secret_in_logs();
    }
}

/// One message with a question and an answer, in a session of its own; `role` dies on its way.
pub(super) async fn turn(stage: &mut Stage, role: Role, at: &str) {
    let job = stage.job(at, None, ASKS);
    stage.arm(role, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
    stage.plays(role, at, |world| job.is_answered(world)).await;
    stage.nothing_comes_again(at).await;
    stage.check(&job);
    if at == "host.answer.kept" {
        stage.knows_its_answer(&job);
    }
    stage.closes(&job).await;
}

/// A node with everything in a folder of its own.
pub(super) fn enroll(world: &World, node: &str) -> PathBuf {
    let dir = world.home.root().join(format!("machine-{node}"));
    let out = dir.display().to_string();
    let name = format!("Machine {}", node.to_uppercase());
    let (status, said) = world.command(&["enroll", node, "--name", &name, "--out", &out]);
    assert!(status.success(), "{said}");
    let config = dir.join("host_config.yaml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text += &format!("\nWORKING_DIR: {out}/work\nDATA_DIR: {out}/data\nLOG: debug\n");
    std::fs::write(&config, text).unwrap();
    dir
}
