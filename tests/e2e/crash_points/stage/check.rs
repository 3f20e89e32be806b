//! What must be true of a job that is done: once everything, and nothing left open in the chat.

use kit::feishu::BotMessage;
use kit::model::Request;

use super::{Stage, begins};
use crate::crash_points::job::{Job, answers, lines_in};
use crate::world::{ANNA, LONG};

/// What the agent makes of a question that nobody can answer any more.
const REFUSED: &str = "Tool permission request failed";
/// A card with one of these is not over.
const OPEN: [&str; 10] = [
    "Machine A",
    "Machine B",
    "Allow once",
    "Continue",
    "Try again",
    "Stop",
    "Cancel",
    "Send now",
    "Discard",
    "Retry",
];
impl Stage {
    /// Once the prompt, once the line, once the answer, and once what rings for each question. A question that was lost with the agent
    /// that asked leaves no line, and then the answer says so.
    pub(in crate::crash_points) fn check(&self, job: &Job) {
        let (world, at) = (&self.world, &job.at);
        let story = || format!("{}\n{}", world.feishu.story(), world.logs());
        let answers = answers(world, &job.answer);
        if job.answers == 1 {
            let shown = answers.len();
            assert_eq!(shown, 1, "{at}: answers in the chat\n{}", story());
        }
        let runs = |request: &&Request| {
            let opening = request.opening.as_deref();
            request.kind.is_turn() && opening.is_some_and(|words| begins(words, &job.prompt))
        };
        let turns = world.model.requests().iter().filter(runs).count();
        // An agent that had the prompt in its pipe may end before it asks the model; then the person's
        // [Continue] is the first that the model hears of it.
        let goes_on = |request: &Request| {
            let opening = request.opening.as_deref();
            let names = |words: &str| words.contains(&job.prompt) && !begins(words, &job.prompt);
            request.kind.is_turn() && opening.is_some_and(names)
        };
        let late = turns == 0 && world.model.requests().iter().any(goes_on);
        let wanted = if late { 0 } else { job.turns };
        assert_eq!(turns, wanted, "{at}: runs of the prompt\n{}", story());
        let all = world.anna().messages();
        let bell = format!("{}: Bash waits for your permission", job.folder);
        let rings = all.iter().filter(|m| m.text() == bell).count();
        let here = format!(" · {}\n", job.folder);
        let asks =
            |m: &&BotMessage| m.text().starts_with("May I use Bash?") && m.text().contains(&here);
        let asked = all.iter().filter(asks).count();
        assert_eq!(rings, asked, "{at}: what rings, and questions\n{}", story());
        let refused = answers.iter().any(|m| m.text().contains(REFUSED));
        let wanted = if refused { 0 } else { job.lines };
        let lines = lines_in(&job.file);
        assert_eq!(lines, wanted, "{at}: runs of the command\n{}", story());
    }

    /// Waits until no card waits for anything any more.
    pub(in crate::crash_points) async fn nothing_is_open(&self) {
        let open = |m: &BotMessage| OPEN.iter().any(|label| m.has_button(label));
        let closed = |f: &kit::feishu::Feishu| !f.messages(ANNA).iter().any(open);
        let told = self.world.feishu.wait_until(closed, LONG).await;
        if let Err(why) = told {
            panic!("cards that are not over: {why:#}\n{}", self.world.logs());
        }
    }

    /// No card of it says that its question needs no answer: it was answered.
    pub(in crate::crash_points) fn knows_its_answer(&self, job: &Job) {
        let here = format!(" · {}\n", job.folder);
        let forgot = |m: &BotMessage| {
            m.text().contains(&here) && m.text().contains("No answer is needed any more")
        };
        let lost = self.world.anna().messages().iter().any(forgot);
        assert!(!lost, "{}: the card forgot its answer", job.at);
    }
}
