#include "client/cpp/token_interceptor.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"

namespace millrace::client {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

class TokenInterceptor final : public Interceptor {
 public:
  explicit TokenInterceptor(const std::string& file) : file_(file) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      std::ifstream file(file_, std::ios::binary);
      std::string token(std::istreambuf_iterator<char>(file), {});
      absl::StripAsciiWhitespace(&token);
      if (!token.empty()) {
        methods->GetSendInitialMetadata()->emplace("authorization", "Bearer " + token);
      }
    }
    methods->Proceed();
  }

 private:
  const std::string& file_;
};

class TokenInterceptorFactory final : public ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(std::string file) : file_(std::move(file)) {}

  Interceptor* CreateClientInterceptor(ClientRpcInfo* /*info*/) override {
    return new TokenInterceptor(file_);
  }

 private:
  const std::string file_;
};

}  // namespace

std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> TokenInterceptors(
    const std::string& token_file) {
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<TokenInterceptorFactory>(token_file));
  return factories;
}

}  // namespace millrace::client
