#include "base/error.hpp"

#include <cstring>

namespace base {
namespace {

ErrorKind kind_of(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
      return ErrorKind::NotFound;
    case EEXIST:
      return ErrorKind::AlreadyExists;
    default:
      return ErrorKind::System;
  }
}

}  // namespace

Error::Error(ErrorKind kind, std::string text)
    : detail_(std::make_unique<Detail>(Detail{kind, 0, {}, {}, std::move(text), {}})) {}

Error::Error(std::string_view call, std::string_view subject, int sys_errno)
    : detail_(std::make_unique<Detail>(Detail{
          kind_of(sys_errno), sys_errno, std::string(call), std::string(subject), {}, {}})) {}

std::vector<std::string> Error::steps() const {
  return {detail_->steps.rbegin(), detail_->steps.rend()};
}

std::string Error::message() const {
  std::string out;
  for (auto step = detail_->steps.rbegin(); step != detail_->steps.rend(); ++step) {
    out += *step;
    out += ": ";
  }
  if (detail_->sys_errno == 0) return out + detail_->text;
  out += detail_->call;
  if (!detail_->subject.empty()) {
    out += ' ';
    out += detail_->subject;
  }
  out += ": ";
  return out + errno_text(detail_->sys_errno);
}

std::string errno_text(int sys_errno) {
  const char* text = ::strerrordesc_np(sys_errno);
  if (text == nullptr) return "errno " + std::to_string(sys_errno);
  std::string out(text);
  // Acronyms ("RPC ...") keep their capitals.
  const bool acronym = out.size() > 1 && out[1] >= 'A' && out[1] <= 'Z';
  if (!acronym && out[0] >= 'A' && out[0] <= 'Z') out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

}  // namespace base
