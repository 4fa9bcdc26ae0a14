//! Configs: what is refused, and in which words.

use fer_model::net::{BlockPlan, NetPlan, Pooling};
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
    refused(
        "",
        &["augment.flipp=0.5"],
        "unknown key augment.flipp: did you mean augment.flip? (given on the command line)",
    );
    refused("[checkpoint]\nzzz = 1", &[], "unknown key checkpoint.zzz: expected one of keep_last");
}

#[test]
fn values_out_of_range_are_refused_with_range_and_value() {
    refused("[train]\nbatch_size = 0", &[], "train.batch_size: expected a value above 0, found 0");
    refused("[schedule]\npeak_rate = -0.1", &[], "schedule.peak_rate: expected a value above 0, found -0.1");
    refused("[model]\ndropout = 1.5", &[], "model.dropout: expected 0 ≤ value < 1, found 1.5");
    refused("[data]\npath = ''", &[], "data.path: expected drawn, a CSV file or a folder, found nothing");
    refused("[augment]\nflip = 2", &[], "augment.flip is 2, expected 0 to 1");
    refused("[checkpoint]\nkeep_last = 1", &[], "checkpoint.keep_last: expected 2 or more, found 1");
}

#[test]
fn a_value_from_the_command_line_is_not_blamed_on_the_file() {
    let given =
        |line, expected: &str| refused("", &[line], &format!("{expected} (given on the command line)"));
    given("train.batch_size=0", "train.batch_size: expected a value above 0, found 0");
    given("augment.flip=2", "augment.flip is 2, expected 0 to 1");
    given("train.epoch=2", "unknown key train.epoch: did you mean train.epochs?");
    refused(
        "[train]\nbatch_size = 0",
        &["train.epochs=3"],
        "train.batch_size: expected a value above 0, found 0",
    );
}

#[test]
fn settings_that_would_do_nothing_are_refused() {
    refused(
        "[model]\nbeside = ['a']",
        &[],
        "model.beside: expected model.init to name the first of the models, found nothing",
    );
    refused(
        "[train]\nepochs = 2",
        &[],
        "schedule.warmup_epochs: expected fewer than train.epochs, which is 2, found 2",
    );
    refused(
        "[data]\nferplus = 'fer2013new.csv'",
        &[],
        "data.ferplus: drawn faces have no FER+ votes; leave it empty, or set data.path",
    );
    refused(
        "[data]\ndrop_non_faces = true",
        &[],
        "data.drop_non_faces: expected data.ferplus to name fer2013new.csv, whose votes say what is no face",
    );
    refused(
        "[execution]\nn_devices = 2",
        &[],
        "execution.n_devices: strategy single uses one device, found 2; set execution.strategy=multi",
    );
    refused(
        "[train]\nbatch_size = 2\n[execution]\nstrategy = 'multi'\nn_devices = 3",
        &[],
        "execution.n_devices: expected at most train.batch_size, which is 2, found 3",
    );
}

#[test]
fn counts_that_would_fill_the_memory_are_refused() {
    refused(
        "[data]\ndrawn_train = 9223372036854775807",
        &[],
        "data.drawn_train: expected at most 1000000, found 9223372036854775807",
    );
    refused(
        "[train]\nbatch_size = 2000000",
        &[],
        "train.batch_size: expected at most 1000000, found 2000000",
    );
}

#[test]
fn blocks_that_are_no_network_are_refused() {
    let blocks =
        |blocks: &str, expected: &str| refused(&format!("[model]\nblocks = [{blocks}]"), &[], expected);
    blocks(
        "{ residual = { width = 32, stride = 3 } }",
        "model.blocks: expected stride 1, or 2 at an even side; the side here is 48, found 32 residual /3 as number 0",
    );
    blocks(
        "{ plain = { width = 0, convs = 1, pool = true } }",
        "model.blocks: expected 1 to 4096 channels, found 0 plain ×1 pooled as number 0",
    );
    blocks(
        &["{ residual = { width = 16, stride = 2 } }"; 5].join(", "),
        "model.blocks: expected stride 1, or 2 at an even side; the side here is 3, found 16 residual /2 as number 4",
    );
}

#[test]
fn a_strategy_that_is_none_is_an_unknown_choice() {
    refused(
        "[execution]\nstrategy = 'ddp'",
        &[],
        "execution.strategy: unknown choice `ddp`, expected `single` or `multi`",
    );
}

#[test]
fn an_override_is_a_table_a_key_and_a_value() {
    refused("", &["epochs"], "--set epochs: expected table.key=value");
    refused("", &["epochs=3"], "--set epochs=3: expected table.key=value");
    let config = Config::parse("", &["train.epochs=3".to_owned(), "data.path=faces/x".to_owned()]).unwrap();
    assert_eq!((config.train.epochs, config.data.path.as_str()), (3, "faces/x"));
}

#[test]
fn a_wrong_type_and_an_unknown_choice_are_refused_with_their_key() {
    refused("[train]\nepochs = 'many'", &[], "train.epochs: expected a whole number from 0, found \"many\"");
    refused("[train]\nepochs = 1e3", &[], "train.epochs: expected a whole number from 0, found 1000.0");
    refused("[train]\nbatch_size = -3", &[], "train.batch_size: expected a whole number from 0, found -3");
    refused("[data]\nskip_bad = 1", &[], "data.skip_bad: expected true or false, found 1");
    refused(
        "[augment]\nerase_area = [0.1]",
        &[],
        "augment.erase_area: expected a list of 2 numbers, found [0.1]",
    );
    refused("train = 3", &[], "train: expected a table, found 3");
    refused(
        "[model]\narchitecture = 'tny'",
        &[],
        "model.architecture: unknown choice `tny`, expected one of `tiny`, `small`, `base`, `vgg`",
    );
    refused(
        "[teacher]\nmodels = 'models/small'",
        &[],
        "teacher.models: expected a list, found \"models/small\"",
    );
    assert_eq!(Config::parse("[schedule]\nwarmup_epochs = 1", &[]).unwrap().schedule.warmup_epochs, 1.0);
}

#[test]
fn lists_that_are_empty_by_default_take_items_and_come_back_from_the_runs_own_config() {
    let text = "
        [model]
        blocks = [{ plain = { width = 16, convs = 1, pool = true } }, { residual = { width = 32, stride = 2 } },
                  { separable = { width = 48, stride = 1 } }]
        [teacher]
        models = ['models/small', 'models/tiny']";
    let config = Config::parse(text, &[]).unwrap();
    let plan = [
        BlockPlan::Plain { width: 16, convs: 1, pool: true },
        BlockPlan::Residual { width: 32, stride: 2 },
        BlockPlan::Separable { width: 48, stride: 1 },
    ];
    assert_eq!(config.model.plan(), NetPlan::of_one_trunk(&plan));
    assert_eq!(config.teacher.models, ["models/small", "models/tiny"]);
    assert_eq!(Config::parse(&config.to_toml(), &[]).unwrap(), config);
    let pooled = Config::parse(text, &["model.pooling=weighted".to_owned()]).unwrap();
    assert_eq!(pooled.model.plan(), NetPlan { pooling: Pooling::Weighted, ..NetPlan::of_one_trunk(&plan) });
    assert_eq!(Config::parse(&pooled.to_toml(), &[]).unwrap(), pooled);
    let error = Config::parse("[teacher]\nmodels = [3]", &[]).unwrap_err();
    assert!(error.starts_with("teacher.models[0]: "), "{error}");
}
