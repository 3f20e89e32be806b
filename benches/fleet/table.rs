//! What was measured, as plain tables. A column with × is a cost per node, beside that of the first
//! row: where it stays at 1 the cost grows as the fleet does.

use kit::usage::Usage;

use crate::stage::{Row, Sight};

pub(crate) fn print(rows: &[Row]) {
    memory("hub", rows, |sight| sight.hub);
    memory("router", rows, |sight| sight.router);
    idle(rows);
    routing(rows);
    changes(rows);
    restarts(rows);
    waiting(rows);
    println!();
}

/// How often the first one a number is, or a dash.
fn times(number: f64, first: f64) -> String {
    if first.abs() < f64::EPSILON {
        "–".into()
    } else {
        format!("{:.2}", number / first)
    }
}

fn memory(of: &str, rows: &[Row], pick: impl Fn(Sight) -> Usage) {
    println!(
        "\n{:<24} {:>8} {:>8} {:>8}   {:>8} {:>5}   {:>8}",
        format!("{of}: memory, MB"),
        "empty",
        "full",
        "own",
        "KB/node",
        "×",
        "at end"
    );
    let each = |row: &Row| {
        let grown = pick(row.full).resident - pick(row.empty).resident;
        grown * 1024.0 / row.nodes as f64
    };
    for row in rows {
        println!(
            "{:<24} {:>8.1} {:>8.1} {:>8.1}   {:>8.1} {:>5}   {:>8.1}",
            format!("{} nodes", row.nodes),
            pick(row.empty).resident,
            pick(row.full).resident,
            pick(row.full).own,
            each(row),
            times(each(row), each(&rows[0])),
            pick(row.end).resident,
        );
    }
    if of == "hub" {
        for row in rows {
            let nodes = row.full.nodes.resident - row.empty.nodes.resident;
            let each = nodes * 1024.0 / row.nodes as f64;
            println!(
                "  ({} nodes here, in this process: {nodes:.0} MB, {each:.0} KB each)",
                row.nodes
            );
        }
    }
}

fn idle(rows: &[Row]) {
    println!(
        "\n{:<24} {:>8} {:>5}   {:>8} {:>5}   {:>9} {:>9}   {:>8}",
        "idle, 10 s: CPU s", "hub", "×", "router", "×", "requests", "messages", "(nodes)"
    );
    let each = |row: &Row, used: f64| used / row.nodes as f64;
    for row in rows {
        let per = 10.0 / row.idle.seconds;
        println!(
            "{:<24} {:>8.2} {:>5}   {:>8.2} {:>5}   {:>9.0} {:>9.0}   {:>8.2}",
            format!("{} nodes", row.nodes),
            row.idle.hub * per,
            times(each(row, row.idle.hub), each(&rows[0], rows[0].idle.hub)),
            row.idle.router * per,
            times(
                each(row, row.idle.router),
                each(&rows[0], rows[0].idle.router)
            ),
            row.idle.requests * per,
            row.idle.messages * per,
            row.idle.nodes * per,
        );
    }
}

fn routing(rows: &[Row]) {
    println!(
        "\n{:<24} {:>6} {:>8} {:>8}   {:>9} {:>9} {:>9}   {:>9}",
        "PW_IN → work at node",
        "msg/s",
        "p50 ms",
        "p99 ms",
        "hub ms",
        "router ms",
        "requests",
        "(nodes ms)"
    );
    for row in rows {
        let idle = |used: f64, seconds: f64| used / row.idle.seconds * seconds;
        for rate in &row.rates {
            let stretch = &rate.stretch;
            let each = |used: f64, resting: f64| {
                (used - idle(resting, stretch.seconds)) * 1000.0 / f64::from(rate.count)
            };
            println!(
                "{:<24} {:>6} {:>8.2} {:>8.2}   {:>9.2} {:>9.2} {:>9.2}   {:>9.2}",
                format!("{} nodes", row.nodes),
                rate.a_second,
                rate.p50,
                rate.p99,
                each(stretch.hub, row.idle.hub),
                each(stretch.router, row.idle.router),
                each(stretch.requests, row.idle.requests) / 1000.0,
                each(stretch.nodes, row.idle.nodes),
            );
        }
    }
    println!("  (processor time and stream requests for one message, above doing nothing)");
}

fn changes(rows: &[Row]) {
    println!(
        "\n{:<24} {:>9} {:>9} {:>5}   {:>9}   {:>9}   {:>9}",
        "changes", "enrol s", "CPU s", "×", "one ms", "join s", "/nodes ms"
    );
    let each = |row: &Row| row.enrolled_cpu / row.nodes as f64;
    for row in rows {
        println!(
            "{:<24} {:>9.1} {:>9.2} {:>5}   {:>9.0}   {:>9.1}   {:>9.2}",
            format!("{} nodes", row.nodes),
            row.enrolled,
            row.enrolled_cpu,
            times(each(row), each(&rows[0])),
            row.one_more_ms,
            row.joined,
            row.list_ms,
        );
    }
    println!(
        "  (all enrolled at once until each has its consumer, and the router's CPU for it; one more)"
    );
}

fn restarts(rows: &[Row]) {
    println!(
        "\n{:<24} {:>8} {:>9} {:>8} {:>8}   {:>9} {:>8} {:>9}",
        "after kill -9, s",
        "listens",
        "connected",
        "heard",
        "worked",
        "routes",
        "CPU s",
        "requests"
    );
    for row in rows {
        println!(
            "{:<24} {:>8.1} {:>9.1} {:>8.1} {:>8.1}   {:>9.2} {:>8.2} {:>9.0}",
            format!("{} nodes", row.nodes),
            row.back.listens,
            row.back.connected,
            row.back.heard,
            row.back.worked,
            row.router_routes,
            row.router_cpu,
            row.router_requests,
        );
    }
    println!(
        "  (of the hub: until it listens, all are connected, were heard, took a message; of the router: until"
    );
    println!("  the first message is at its node, what its start used)");
}

fn waiting(rows: &[Row]) {
    println!(
        "\n{:<24} {:>8} {:>9} {:>9}   {:>8} {:>8}",
        "a tenth off, 10 s", "waiting", "requests", "each", "hub", "router"
    );
    for row in rows {
        let per = 10.0 / row.waits.seconds;
        let above = |used: f64, resting: f64| used * per - resting * 10.0 / row.idle.seconds;
        let requests = above(row.waits.requests, row.idle.requests);
        println!(
            "{:<24} {:>8} {:>9.0} {:>9.2}   {:>8.2} {:>8.2}",
            format!("{} nodes", row.nodes),
            row.waiting,
            requests,
            requests / row.waiting as f64,
            above(row.waits.hub, row.idle.hub),
            above(row.waits.router, row.idle.router),
        );
    }
    println!("  (a message waits for each; stream requests and CPU seconds above doing nothing)");
}
