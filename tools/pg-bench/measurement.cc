#include "tools/pg-bench/measurement.h"

#include <nlohmann/json.hpp>

namespace pg {

void Measurement::done(Deadline due, Deadline now, int64_t count, int64_t bytes) {
  if (!measures(due)) return;
  latency_.record((now - due).count(), count);
  passed(now, count, bytes);
}

void Measurement::passed(Deadline now, int64_t count, int64_t bytes) {
  if (!measures(now)) return;
  records_ += count;
  bytes_ += bytes;
  ended_ = std::max(ended_, now);
  const auto interval = static_cast<size_t>((now - origin_) / kTimelineInterval);
  if (interval >= timeline_.size()) timeline_.resize(interval + 1);
  timeline_[interval] += count;
}

void Measurement::merge(const Measurement& other) {
  ended_ = std::max(ended_, other.ended_);
  latency_.merge(other.latency_);
  records_ += other.records_;
  bytes_ += other.bytes_;
  timeline_.resize(std::max(timeline_.size(), other.timeline_.size()));
  for (size_t i = 0; i < other.timeline_.size(); ++i) timeline_[i] += other.timeline_[i];
}

std::string Measurement::to_json() const {
  nlohmann::json json{{"origin", origin_.time_since_epoch().count()},
                      {"ended", ended_.time_since_epoch().count()},
                      {"records", records_},
                      {"bytes", bytes_},
                      {"longest", latency_.max()},
                      {"latency", nlohmann::json::array()},
                      {"timeline", timeline_}};
  for (const auto& bucket : latency_.buckets()) json["latency"].push_back({bucket.highest, bucket.count});
  return json.dump();
}

Result<Measurement> Measurement::from_json(std::string_view text) try {
  const auto json = nlohmann::json::parse(text);
  const auto point = [&](const char* name) { return Deadline(Duration(json.at(name).get<int64_t>())); };
  Measurement result(point("origin"));
  result.ended_ = point("ended");
  result.records_ = json.at("records").get<int64_t>();
  result.bytes_ = json.at("bytes").get<int64_t>();
  std::vector<Histogram::Bucket> buckets;
  for (const auto& bucket : json.at("latency"))
    buckets.push_back({bucket.at(0).get<int64_t>(), bucket.at(1).get<int64_t>()});
  result.latency_ = Histogram::of(buckets, json.at("longest").get<int64_t>());
  result.timeline_ = json.at("timeline").get<std::vector<int64_t>>();
  return result;
} catch (const nlohmann::json::exception& problem) {
  return fail(Errc::corrupt,
              std::string("a process of the benchmark has said what is not a measurement: ") + problem.what());
}

}  // namespace pg
