//! An evaluation as a table: one row an image.
//! In: an evaluation and its samples. Out: CSV text.

use fer_data::Samples;

use crate::error::TrainError;
use crate::judge::evaluate::Evaluation;

/// One row an image: where it came from, its label, the prediction, and the probabilities after the
/// card's temperature in label order, each printed so that it reads back exactly.
///
/// # Errors
/// None in practice: the writer's own error type has to go somewhere.
pub fn predictions_csv(evaluation: &Evaluation, samples: &Samples) -> Result<Vec<u8>, TrainError> {
    write_rows(evaluation, samples)
        .map_err(|cause| TrainError::Write { path: "predictions.csv".into(), source: cause.into() })
}

fn write_rows(evaluation: &Evaluation, samples: &Samples) -> Result<Vec<u8>, csv::Error> {
    let labels = &evaluation.labels;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = ["source", "label", "prediction"].into_iter();
    writer.write_record(columns.chain(labels.names().iter().map(String::as_str)))?;
    for (sample, prediction) in samples.samples.iter().zip(&evaluation.predictions) {
        let mut row = vec![
            sample.source.to_string(),
            labels.name(sample.label).to_owned(),
            labels.name(prediction.label()).to_owned(),
        ];
        row.extend(prediction.probabilities.iter().map(ToString::to_string));
        writer.write_record(&row)?;
    }
    writer.into_inner().map_err(|e| e.into_error().into())
}
