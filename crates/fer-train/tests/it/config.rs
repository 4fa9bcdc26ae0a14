//! Configs: what is refused, and in which words.

use fer_train::config::Config;

#[track_caller]
fn refused(text: &str, overrides: &[&str], expected: &str) {
    let overrides: Vec<String> = overrides.iter().map(|line| (*line).to_owned()).collect();
    let error = Config::parse(text, &overrides).unwrap_err();
    assert_eq!(error, expected);
}

#[test]
fn an_empty_config_is_the_default_and_survives_the_round_trip() {
    let config = Config::parse("", &[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(Config::parse(&config.to_toml(), &[]).unwrap(), config);
}

#[test]
fn every_shipped_config_is_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut n = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        Config::read(&entry.unwrap().path(), &[]).unwrap();
        n += 1;
    }
    assert!(n >= 3, "{n} configs");
}

#[test]
fn a_misspelt_key_is_refused_with_the_nearest_one() {
    refused("[train]\nepoch = 3", &[], "unknown key train.epoch: did you mean train.epochs?");
    refused("[traim]\nepochs = 3", &[], "unknown key traim: did you mean train?");
    refused("", &["augment.flipp=0.5"], "unknown key augment.flipp: did you mean augment.flip?");
    refused("[checkpoint]\nzzz = 1", &[], "unknown key checkpoint.zzz: expected one of keep_last");
}

#[test]
fn values_out_of_range_are_refused_with_range_and_value() {
    refused("", &["train.batch_size=0"], "train.batch_size: expected a value above 0, found 0");
    refused("", &["schedule.peak_rate=-0.1"], "schedule.peak_rate: expected a value above 0, found -0.1");
    refused("", &["model.dropout=1.5"], "model.dropout: expected 0 ≤ value < 1, found 1.5");
    refused("", &["data.path="], "data.path: expected drawn, a CSV file or a folder, found nothing");
}

#[test]
fn ddp_is_refused_with_what_burn_lacks() {
    let error = Config::parse("[execution]\nstrategy = 'ddp'", &[]).unwrap_err();
    assert!(error.contains("CUDA alone") && error.contains("use multi"), "{error}");
}

#[test]
fn an_override_is_a_table_a_key_and_a_value() {
    refused("", &["epochs"], "--set epochs: expected table.key=value");
    refused("", &["epochs=3"], "--set epochs=3: expected table.key=value");
    let config = Config::parse("", &["train.epochs=3".to_owned(), "data.path=faces/x".to_owned()]).unwrap();
    assert_eq!((config.train.epochs, config.data.path.as_str()), (3, "faces/x"));
}

#[test]
fn a_wrong_type_and_an_unknown_choice_are_refused() {
    let error = Config::parse("[train]\nepochs = 'many'", &[]).unwrap_err();
    assert!(error.contains("many") && error.contains("expected"), "{error}");
    let error = Config::parse("[model]\narchitecture = 'huge'", &[]).unwrap_err();
    assert!(error.contains("huge") && error.contains("tiny"), "{error}");
}
