#include "server/app/app.h"

int main(int argc, char** argv) { return millrace::server::RunServer(argc, argv); }
