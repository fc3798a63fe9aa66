#include "network.h"

#include <algorithm>

#include "breaks.h"
#include "writers.h"

namespace kelp::sim {

SentBatch SentBatch::Of(const Batch& batch) {
  SentBatch sent;
  sent.origin = batch.origin;
  sent.path = batch.resource()->Get("log.file.path");
  batch.ForEach([&](uint32_t row) {
    sent.rows.push_back({std::string(batch.body().Get(row).text()), batch.row_end(row)});
  });
  return sent;
}

bool Destination::Refuses(size_t pipeline, std::string_view body) {
  return pipeline != kDeadLetters && body.find(kRefusedWord) != std::string_view::npos;
}

void Destination::Apply(const Request& request) {
  uint64_t taken = 0;
  uint64_t repeated = 0;
  for (const SentBatch& batch : request.batches) {
    uint64_t& mark = marks_[{request.pipeline, batch.origin}];
    const bool stored = origin_stored_(batch.origin);
    for (const SentRow& row : batch.rows) {
      if (row.end <= mark && !Broken(Break::kForgetMark)) {
        ++repeated;
        continue;
      }
      mark = row.end;
      ++taken;
      if (Refuses(request.pipeline, row.body)) continue;
      if (Broken(Break::kDropRow) && (rows_taken_ + taken) % kDropRowEvery == 0) continue;
      oracle_.Arrived({request.pipeline, batch.origin, batch.path, row.body, row.end, stored});
    }
    if (!batch.rows.empty()) {
      history_.Say("server", "p{} {} {}: rows to {}, {} so far new, {} repeated", request.pipeline,
                   batch.origin.ToString().substr(0, 6), batch.path, batch.rows.back().end, taken,
                   repeated);
    }
  }
  rows_taken_ += taken;
  rows_repeated_ += repeated;
}

uint64_t Network::Connect(Sender* sender) {
  senders_[++last_sender_] = sender;
  return last_sender_;
}

void Network::Send(Request request) {
  const Duration now = clock_.Monotonic();
  Flight flight{std::move(request), Answer::kTaken, false, Duration(0)};
  const Duration arrive_at = now + chance_.Between(Duration(0), faults.delay_max);
  flight.answer_at = arrive_at + chance_.Between(Duration(0), faults.delay_max);
  flights_.emplace(arrive_at, std::move(flight));
}

void Network::Arrive(Flight& flight) {
  flight.arrived = true;
  if (faults.down || chance_.Percent(faults.refused_percent)) {
    flight.answer = Answer::kRefused;
  } else if (chance_.Percent(faults.request_lost_percent)) {
    flight.answer = Answer::kLost;
  } else {
    destination_.Apply(flight.request);
    if (chance_.Percent(faults.answer_lost_percent)) flight.answer = Answer::kLost;
  }
}

void Network::Step() {
  const Duration now = clock_.Monotonic();
  while (!flights_.empty() && flights_.begin()->first <= now) {
    Flight flight = std::move(flights_.begin()->second);
    flights_.erase(flights_.begin());
    if (!flight.arrived) {
      Arrive(flight);
      const Duration at = std::max(now, flight.answer_at);
      flights_.emplace(at, std::move(flight));
      continue;
    }
    const auto sender = senders_.find(flight.request.sender);
    if (sender == senders_.end()) continue;
    history_.Say("network", "lane {}: {}", flight.request.lane,
                 flight.answer == Answer::kTaken     ? "acknowledged"
                 : flight.answer == Answer::kRefused ? "refused"
                                                     : "connection lost");
    sender->second->OnAnswer(flight.request.lane, flight.answer);
  }
}

Duration Network::next() const {
  return flights_.empty() ? Duration::max() : flights_.begin()->first;
}

}  // namespace kelp::sim
