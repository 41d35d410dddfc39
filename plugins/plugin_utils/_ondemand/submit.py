# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session asks sbatch for: submit.yml.erb of Open OnDemand. No I/O. Private to hpc.pytorch.

A browser keeps a person within the limits of the form. A caller without one is refused here, in a sentence that names
the limit. Open OnDemand adds the time of bc_num_hours itself.
"""

from __future__ import annotations

import typing as t

from .choices import Choice, Rules
from .value import quoted

_RULES = """
refuse = lambda do |expected, found, remedy|
  raise "expected #{expected}; found #{found}; remedy: #{remedy}"
end
choice = choices[node_type.to_s]
refuse.call("a place from the list", node_type, "reload the page, the cluster has changed") if choice.nil?
where = "for #{choice["label"]}"

number = lambda do |name, given, least, most|
  found = Integer(given.to_s, 10, exception: false)
  in_range = !found.nil? && found.between?(least, most)
  refuse.call("#{name} from #{least} to #{most} #{where}", given, "choose such a number") unless in_range
  found
end
member = lambda do |name, given, known|
  known_one = known.include?(given.to_s)
  refuse.call("#{name} to be one of #{known.join(", ")} #{where}", given, "choose one of them") unless known_one
  given.to_s
end

gpus = number.call("GPUs", choice["gpus"].zero? ? 0 : num_gpus, 0, choice["gpus"])
cores = number.call("CPUs", num_cores, 1, choice["cpus"])
number.call("hours", bc_num_hours, 1, choice["hours"])
native = ["--partition=#{choice["partition"]}", "--nodes=1", "--ntasks=1", "--cpus-per-task=#{cores}"]
native << "--mem=#{number.call("GB of memory", memory_gb, 1, choice["memory_gb"])}G" unless choice["memory_gb"].zero?
native << "--gres=#{choice["gres"]}:#{gpus}" unless gpus.zero?
"""

_END = """-%>
---
batch_connect:
  template: basic
script:
  native:
<%- native.each do |argument| -%>
    - '<%= argument.gsub("'", "''") %>'
<%- end -%>
"""


def submit(choices: t.Sequence[Choice], label: t.Callable[[Choice], str], known: Rules) -> str:
    """The text of submit.yml.erb.

    :arg label: what a person reads about a choice.
    :arg known: with the accounts, qualities of service and features, for each of which the form has a field.
    """
    lines = ["<%-", "choices = {"]
    for choice in choices:
        pairs: dict[str, str] = {
            "label": quoted(label(choice)),
            "partition": quoted(choice.partition),
            "gres": quoted("gpu:%s" % choice.gpu_type if choice.gpu_type else "gpu"),
            "gpus": str(choice.gpus),
            "cpus": str(choice.cpus),
            "memory_gb": str(choice.memory_gb),
            "hours": str(choice.hours),
            "accounts": "[%s]" % ", ".join(map(quoted, choice.accounts)),
            "qos": "[%s]" % ", ".join(map(quoted, choice.qos)),
        }
        if known.features:
            pairs["features"] = "[%s]" % ", ".join(map(quoted, choice.features))
        lines.append("  %s => {" % quoted(choice.value))
        lines += ['    "%s" => %s,' % pair for pair in pairs.items()]
        lines.append("  },")
    lines.append("}")
    rules = _RULES
    if known.accounts:
        rules += 'native << "--account=#{member.call("the account", self.account, choice["accounts"])}"\n'
    if known.qos:
        rules += 'native << "--qos=#{member.call("the quality of service", self.qos, choice["qos"])}"\n'
    if any(choice.features for choice in choices):
        rules += "wanted = self.feature.to_s\n"
        rules += 'nothing = choice["features"].empty? && !wanted.empty?\n'
        rules += 'refuse.call("no feature #{where}", wanted, "choose any, or another place") if nothing\n'
        rules += 'constraint = member.call("the feature", wanted, choice["features"]) unless wanted.empty?\n'
        rules += 'native << "--constraint=#{constraint}" unless constraint.nil?\n'
    return "\n".join(lines) + rules + _END
