"""Every rule by its code. A module of rules is added with one line."""

from __future__ import annotations

from detloss_cli.checks import (
    anchors,
    annotation_files,
    boxes,
    data_yaml,
    foreign_caches,
    heads,
    hyp_yaml,
    label_files,
    loader_fates,
    loss,
    model_yaml,
    pairs,
    predictions,
    row_class,
    row_form,
    row_geometry,
    row_text,
    sets,
    splits,
    targets,
    thresholds,
    training,
    yaml_text,
)
from detloss_cli.checks.rule import Rule

RULES: dict[str, Rule] = {
    rule.code: rule
    for rules in (
        row_text.RULES,
        row_form.RULES,
        row_class.RULES,
        row_geometry.RULES,
        boxes.RULES,
        label_files.RULES,
        pairs.RULES,
        splits.RULES,
        sets.RULES,
        loader_fates.RULES,
        foreign_caches.RULES,
        annotation_files.RULES,
        yaml_text.RULES,
        data_yaml.RULES,
        hyp_yaml.RULES,
        model_yaml.RULES,
        predictions.RULES,
        tuple(each.rule for each in targets.RULES),
        targets.FAULT_RULES,
        training.RULES,
        tuple(each.rule for each in training.LOG_RULES),
        tuple(each.rule for each in anchors.RULES),
        tuple(each.rule for each in loss.RULES),
        tuple(each.rule for each in heads.RULES),
        tuple(each.rule for each in thresholds.RULES),
    )
    for rule in rules
}
BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES.values()}
