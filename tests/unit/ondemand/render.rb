# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Reads an app as Open OnDemand does (apps/dashboard/app/models/batch_connect/app.rb): ERB, then YAML.
#
#     render.rb FOLDER <selections.json >answers.json
#
# A selection has the fields that a browser sends. The answer has the form, and for each selection what submit.yml.erb
# makes of it, or the sentence with which it refuses.

require "erb"
require "json"
require "ostruct"
require "yaml"

def read(path, context)
  erb = ERB.new(File.read(path), trim_mode: "-")
  erb.filename = path
  YAML.safe_load(erb.result(context)).to_h
end

def submitted(folder, selection)
  context = OpenStruct.new(selection).instance_eval { binding }
  { script: read(File.join(folder, "submit.yml.erb"), context)["script"] }
rescue StandardError => e
  { refused: e.message }
end

folder = ARGV.fetch(0)
form = begin
  read(File.join(folder, "form.yml.erb"), binding)
rescue StandardError => e
  { error: e.message }
end
manifest = YAML.safe_load(File.read(File.join(folder, "manifest.yml")))
answers = JSON.parse($stdin.read).map { |selection| submitted(folder, selection) }
puts JSON.generate(form: form, manifest: manifest, submitted: answers)
