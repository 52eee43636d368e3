//! scratch
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let (mut all, mut same, mut roundtrip) = (0, 0, 0);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let q = v["query"].as_str().unwrap();
        let ok = v["ok"].as_bool().unwrap();
        all += 1;
        let r = icegate_logql::parse(q);
        if let Ok(e) = &r {
            match icegate_logql::parse(&e.to_string()) {
                Ok(back) if back == *e => roundtrip += 1,
                other => println!("ROUNDTRIP {q}\n   {e}\n   {:?}", other.map(|o| o.to_string())),
            }
        }
        if r.is_ok() == ok { same += 1; } else { println!("DIFF want_ok={ok} {q:?}\n   want: {}\n   got: {:?}", v["error"], r.map(|e| e.to_string()).map_err(|e| e.to_string())); }
    }
    println!("{same}/{all} agree, {roundtrip} roundtrips");
}
