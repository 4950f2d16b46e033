"""Every rule by its code. A module of rules is added with one line."""

from __future__ import annotations

from detloss_cli.checks import data_yaml, hyp_yaml, model_yaml, targets, yaml_text
from detloss_cli.checks.rule import Rule

RULES: dict[str, Rule] = {
    rule.code: rule
    for rules in (
        yaml_text.RULES,
        data_yaml.RULES,
        hyp_yaml.RULES,
        model_yaml.RULES,
        tuple(each.rule for each in targets.RULES),
    )
    for rule in rules
}
BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES.values()}
