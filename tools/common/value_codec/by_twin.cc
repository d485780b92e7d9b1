// No schemas here: the twin of this program has them.
#include "core/os/this_program.h"
#include "tools/common/value_codec.h"

namespace pg {

Result<std::unique_ptr<ValueCodec>> make_value_codec(Cluster&, const ValueCodecOptions&, const ProgramRun& run) {
  return tl::unexpected(become_program("../libexec/pilgrimage/" + run.program, run.program, run.arguments));
}

}  // namespace pg
