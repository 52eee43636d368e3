use super::shop::Exchange;
use crate::send::random::Random;

/// What goes before a short text, so that bodies have the length of real ones.
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
    "shop-android/8.2.1 (Android 14; Pixel 8)",
    "curl/8.7.1",
];

/// A log line about a request: JSON, logfmt, an access log, prose or, of a failure, a stack trace.
pub(super) fn line(exchange: &Exchange, level: &str, random: &mut Random) -> String {
    match random.below(10) {
        0..=2 => json(exchange, level, random),
        3..=5 => logfmt(exchange, level, random),
        6..=7 => access(exchange, random),
        _ if exchange.status >= 500 => stack(exchange),
        _ => prose(exchange, random),
    }
}

fn json(exchange: &Exchange, level: &str, random: &mut Random) -> String {
    let Exchange { service, method, path, status, bytes, user, .. } = exchange;
    format!(
        r#"{{"level":"{}","msg":"request handled","service":"{}","method":"{method}","path":"{path}","status":{status},"duration_ms":{:.3},"bytes":{bytes},"user":{{"id":{user},"plan":"{}"}},"cached":{}}}"#,
        level.to_lowercase(),
        service.name,
        exchange.millis(),
        random.pick(&["free", "plus", "business"]),
        random.below(3) == 0,
    )
}

fn logfmt(exchange: &Exchange, level: &str, random: &mut Random) -> String {
    let Exchange { service, method, path, status, bytes, user, .. } = exchange;
    format!(
        r#"level={} caller=server.go:{} msg="handled {} {}" method={method} path={path} status={status} duration={:.3}ms bytes={bytes} user={user} peer={}"#,
        level.to_lowercase(),
        random.between(40, 400),
        service.name,
        service.operation,
        exchange.millis(),
        service.peer,
    )
}

fn access(exchange: &Exchange, random: &mut Random) -> String {
    let Exchange { service, method, path, status, bytes, .. } = exchange;
    let (subnet, host) = (random.below(256), random.between(1, 255));
    format!(
        r#"10.42.{subnet}.{host} - - "{method} {path} HTTP/1.1" {status} {bytes} "https://shop.example/{}" "{}" {:.3}"#,
        service.name,
        random.pick(&AGENTS),
        exchange.millis() / 1_000.0,
    )
}

fn prose(exchange: &Exchange, random: &mut Random) -> String {
    let Exchange { service, path, status, user, .. } = exchange;
    match random.below(3) {
        0 => format!(
            "Finished to {} for user {user} after {:.1} ms, answering {status} to {path} [{} connections idle]",
            service.operation,
            exchange.millis(),
            random.below(64)
        ),
        1 => format!(
            "Cache of {} holds {} entries ({} MiB), {} were evicted while {path} was served",
            service.peer,
            random.between(1_000, 90_000),
            random.between(8, 512),
            random.below(400)
        ),
        _ => format!(
            "Asked {} to {}: attempt {} of 3 took {:.2} ms, circuit breaker is closed, user={user}",
            service.peer,
            service.operation,
            random.between(1, 4),
            exchange.millis()
        ),
    }
}

fn stack(exchange: &Exchange) -> String {
    let Exchange { service, method, path, user, .. } = exchange;
    format!(
        "Failed to {} for user {user}: {} did not answer within {:.0} ms\n    at {}.Client.call(Client.java:118)\n    at \
         {}.Handler.handle(Handler.java:64)\n    at {method} {path}\nCaused by: connection reset by peer",
        service.operation,
        service.peer,
        exchange.millis(),
        service.name,
        service.name,
    )
}

#[cfg(test)]
mod tests {
    use super::super::shop::service_at;
    use super::*;
    use crate::send::random::Stream;

    #[test]
    fn bodies_have_60_to_400_bytes_and_come_in_all_forms() {
        let (mut objects, mut stacks) = (0, 0);
        for number in 0..20_000 {
            let mut random = Random::of(1, Stream::Record, number);
            let exchange = Exchange::draw(service_at(number), &mut random);
            let line = line(&exchange, "INFO", &mut random);
            assert!((60..=400).contains(&line.len()), "{}: {line}", line.len());
            stacks += u32::from(line.contains("Caused by"));
            if line.starts_with('{') {
                objects += 1;
                assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
            }
        }
        assert!((5_000..7_000).contains(&objects), "{objects}");
        assert!(stacks > 10, "{stacks}");
    }
}
