use super::*;

/// 2006-01-02T15:04:05.06789Z
const AT: i64 = 1_136_214_245_067_890_000;

#[test]
fn moments_are_written_by_example() {
    let at = Moment::of_nanos(AT);
    for (layout, text) in [
        ("2006-01-02T15:04:05.00", "2006-01-02T15:04:05.06"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.06789Z"),
        ("Mon Jan _2 3:4:5 PM 06 MST -0700", "Mon Jan  2 3:4:5 PM 06 UTC +0000"),
        ("Monday, January 2 002 pm,000", "Monday, January 2 002 pm,067"),
        ("year: _2006 é", "year: _2006 é"),
        ("", ""),
    ] {
        assert_eq!(at.format(layout), text);
    }
    let berlin = at.in_zone(Zone::find("Europe/Berlin").unwrap());
    assert_eq!(berlin.format("15:04 MST -07:00"), "16:04 CET +01:00");
    assert_eq!(Moment::of_seconds(1_679_577_215).to_string(), "2023-03-23 13:13:35 +0000 UTC");
    assert_eq!(Moment::ZERO.to_string(), "0001-01-01 00:00:00 +0000 UTC");
}

#[test]
fn what_is_written_is_read_back() {
    for (layout, text, zone, seconds) in [
        ("2006-01-02", "2021-11-02", "UTC", 1_635_811_200),
        ("2006-01-02", "2021-11-02", "Europe/Berlin", 1_635_807_600),
        ("2006-01-02T15:04:05Z07:00", "2021-11-02T01:00:00+02:00", "UTC", 1_635_807_600),
        ("2006-01-02T15:04:05Z", "2021-11-02T00:00:00.123Z", "UTC", 1_635_811_200),
        ("Jan _2 06 03:04PM", "nov  2 21 12:00AM", "UTC", 1_635_811_200),
    ] {
        let moment = parse(layout, text, Zone::find(zone).unwrap());
        assert_eq!(moment.map(Moment::seconds), Some(seconds), "{text}");
    }
    let fraction = parse("2006-01-02T15:04:05.999Z", "2023-03-10T01:32:40.340485723Z", Zone::UTC).unwrap();
    assert_eq!(fraction.nanos(), 1_678_411_960_340_485_723);
}

#[test]
fn what_is_not_written_so_is_not_read() {
    for (layout, text) in [
        ("2006-01-02", "2021-13-02"),
        ("2006-01-02", "2021-11-02x"),
        ("15:04", "25:00"),
        ("Jan", "Foo"),
        ("-07:00", "0100"),
        ("3PM", "13PM"),
    ] {
        assert_eq!(parse(layout, text, Zone::UTC), None, "{layout} {text}");
    }
}
