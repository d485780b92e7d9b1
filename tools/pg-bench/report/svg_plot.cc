#include "tools/pg-bench/report/svg_plot.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace pg {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr size_t kStyles = 8;

std::string percent(double share) { return fmt::format("{:.2f}%", 100 * share); }

std::string x_axis(const Axis& axis) {
  std::string out;
  for (const auto& tick : axis.ticks) {
    const std::string at = percent(axis.scale.at(tick.value));
    out += fmt::format(
        R"(<line class="grid" x1="{0}" x2="{0}" y1="0" y2="100%"/><text x="{0}" y="100%" dy="1.5em" text-anchor="middle">{1}</text>)",
        at, escape_markup(tick.label));
  }
  return out + fmt::format(R"(<text class="axis" x="100%" y="100%" dy="3em" text-anchor="end">{}</text>)",
                           escape_markup(axis.title));
}

std::string y_axis(const Axis& axis) {
  std::string out;
  for (const auto& tick : axis.ticks) {
    const std::string at = percent(1 - axis.scale.at(tick.value));
    out += fmt::format(
        R"(<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/><text x="-8" y="{0}" dy="0.35em" text-anchor="end">{1}</text>)",
        at, escape_markup(tick.label));
  }
  return out + fmt::format(R"(<text class="axis" x="-65" y="-16">{}</text>)", escape_markup(axis.title));
}

// What stands for the byte or the character at the beginning of `text`; takes it away.
std::string_view escape_next(std::string_view& text, bool is_text) {
  // XML has no place for these two characters, although UTF-8 has.
  if (text.starts_with("\xef\xbf\xbe") || text.starts_with("\xef\xbf\xbf")) {
    text.remove_prefix(3);
    return kReplacement;
  }
  const std::string_view first = text.substr(0, 1);
  text.remove_prefix(1);
  const auto byte = static_cast<uint8_t>(first[0]);
  switch (byte) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    case '\t':
    case '\n':
      return first;
    default:
      return byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_text) ? kReplacement : first;
  }
}

}  // namespace

std::string escape_markup(std::string_view text) {
  const bool is_text = is_utf8(text);
  std::string out;
  while (!text.empty()) out += escape_next(text, is_text);
  return out;
}

std::string path_data(const std::vector<Point>& points, const Scale& x, const Scale& y) {
  std::string out;
  for (const auto& point : points) {
    out += fmt::format("{}{:.1f} {:.1f}", out.empty() ? 'M' : 'L', 1000 * x.at(point.x), 1000 * (1 - y.at(point.y)));
  }
  return out;
}

std::string style_classes(size_t style) {
  return fmt::format("c{} d{}", style % kStyles, (style + style / kStyles) % kStyles);
}

std::string line_plot(const LinePlot& plot) {
  std::string out = fmt::format(
      R"(<svg class="plot" role="img" aria-labelledby="{0}-title {0}-desc"><title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>)",
      plot.id, escape_markup(plot.title), escape_markup(plot.description));
  out += x_axis(plot.x) + y_axis(plot.y);
  // Stretched to the width there is; the strokes are not.
  out += R"(<svg width="100%" height="100%" viewBox="0 0 1000 1000" preserveAspectRatio="none">)";
  for (const auto& line : plot.lines) {
    out += fmt::format("\n<path class=\"{}\" d=\"{}\"><title>{}</title></path>", style_classes(line.style),
                       path_data(line.points, plot.x.scale, plot.y.scale), escape_markup(line.label));
  }
  return out + "</svg></svg>";
}

std::string key_mark(size_t style) {
  return fmt::format(
      R"(<svg class="key" width="30" height="10" aria-hidden="true"><path class="{}" d="M1 5H29"/></svg>)",
      style_classes(style));
}

std::string bar(double share, size_t style, std::string_view title) {
  return fmt::format(
      R"(<svg class="bar" role="img" width="100%" height="14"><title>{}</title><rect class="{}" width="{}" height="14" rx="2"/></svg>)",
      escape_markup(title), style_classes(style), percent(share));
}

// The hues of Okabe and Ito, darker on white and lighter on black where the originals would not stand out; neighbours
// differ in lightness too. The dashes tell lines apart where colours cannot, on paper for instance.
const std::string_view kPlotStyle = R"(
.c0{--c:#0072b2}.c1{--c:#d55e00}.c2{--c:#00875f}.c3{--c:#882255}.c4{--c:#b07a00}.c5{--c:#3b98d0}.c6{--c:#4b3aa8}.c7{--c:#6f6f6f}
@media screen and (prefers-color-scheme:dark){
.c0{--c:#4da6e8}.c1{--c:#f5853f}.c2{--c:#2fc79a}.c3{--c:#e58bc0}.c4{--c:#ead04a}.c5{--c:#a6dcff}.c6{--c:#a596ff}.c7{--c:#b4b4b4}
}
.d1{stroke-dasharray:9 4}.d2{stroke-dasharray:2.5 3}.d3{stroke-dasharray:11 3 2.5 3}.d4{stroke-dasharray:5 3}.d5{stroke-dasharray:16 4}
.d6{stroke-dasharray:11 3 2.5 3 2.5 3}.d7{stroke-dasharray:5 3 2 3}
svg{display:block}
.plot{overflow:visible;width:calc(100% - 88px);height:18rem;margin:38px 22px 48px 66px}
.plot text{font-size:.78rem;fill:var(--soft)}
.plot .grid{stroke:var(--rule);shape-rendering:crispEdges}
.plot path,.key path{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.plot path:hover{stroke-width:4}
.key{display:inline-block;flex:none;vertical-align:middle}
.bar rect{fill:var(--c)}
)";

}  // namespace pg
