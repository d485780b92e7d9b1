// Fills in what a man page takes from the code. Reads a page from standard input and prints it.
//
//   expand_page VERSION < pg-topic.1.scd
//
//   @VERSION@          the version
//   @TOPIC_CONFIGS@    a line of its own: the topic configs, an entry for each
//   @CLUSTER_CONFIGS@  the same of the cluster configs
#include <iostream>
#include <string>

#include "core/store/cluster_config.h"
#include "core/store/topic_config.h"

namespace {

void print(const std::vector<pg::ConfigDescription>& configs) {
  const char* gap = "";
  for (const auto& config : configs) {
    std::cout << gap << "*" << config.name << "*\n\t" << config.text << " Values: " << config.values
              << ". Default: " << config.default_value << ".\n";
    gap = "\n";
  }
}

void print(std::string line, const std::string& version) {
  const std::string mark = "@VERSION@";
  const auto at = line.find(mark);
  if (at != std::string::npos) line.replace(at, mark.size(), version);
  std::cout << line << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string version = argc == 2 ? argv[1] : "";
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "@TOPIC_CONFIGS@") {
      print(pg::describe_topic_configs());
    } else if (line == "@CLUSTER_CONFIGS@") {
      print(pg::describe_cluster_configs());
    } else {
      print(line, version);
    }
  }
  return std::cout.flush() ? 0 : 1;
}
