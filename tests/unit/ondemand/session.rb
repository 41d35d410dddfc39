# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Prints a file of the app's folder template as Open OnDemand stages it: session.rb FILE PREFIX

require "erb"
require "ostruct"

context = OpenStruct.new(jupyter_prefix: ARGV.fetch(1))
erb = ERB.new(File.read(ARGV.fetch(0)), trim_mode: "-")
erb.filename = ARGV.fetch(0)
print erb.result(binding)
