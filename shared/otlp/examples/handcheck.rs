//! x
#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use icegate_model::*;
use icegate_otlp::*;
fn main() {
    let origin = Origin { tenant: TenantId::default_tenant(), account: None, ingested: Timestamp::from_secs(1) };
    for path in std::env::args().skip(1) {
        let name = path.rsplit('/').next().unwrap();
        let signal = if name.contains("log") || name.contains("event") || name.contains("malformed") {
            Signal::Logs
        } else if name.contains("trace") {
            Signal::Traces
        } else {
            Signal::Metrics
        };
        let body = std::fs::read(&path).unwrap();
        let parts: Vec<(Encoding, &[u8])> = if name.ends_with("pb") {
            vec![(Encoding::Protobuf, &body[..])]
        } else if name.ends_with("jsonl") {
            body.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| (Encoding::Json, l)).collect()
        } else {
            vec![(Encoding::Json, &body[..])]
        };
        let (mut ok, mut rej) = (0, 0);
        let mut err = String::new();
        let mut reasons = String::new();
        for (e, b) in parts {
            match decode(signal, e, b, &origin, &Limits::default()) {
                Ok(r) => {
                    ok += r.accepted;
                    rej += r.rejected.count;
                    if rej > 0 && reasons.is_empty() {
                        reasons = r.rejected.message();
                    }
                }
                Err(x) => err = x.to_string(),
            }
        }
        println!("{path}: accepted {ok} rejected {rej} {reasons} {err}");
    }
}
