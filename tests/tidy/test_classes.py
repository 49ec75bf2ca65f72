"""No class takes on everything: the number of methods is limited where one has done so before."""

from cpp_classes import classes_of
from tree import ROOT, tracked

METHODS_MAX = 30
ROOMS = ("core/workflow/", "sdk-cpp/src/", "server/engine/")


def test_classes_are_small():
    wrong = []
    for path in tracked(".cc", ".h"):
        if path.startswith(ROOMS):
            wrong += [f"{path}:{each.line}: {each.name} has {len(each.methods)} methods"
                      for each in classes_of((ROOT / path).read_text()) if len(each.methods) > METHODS_MAX]
    assert not wrong, f"more than {METHODS_MAX}:\n" + "\n".join(wrong)


SAMPLE = r'''
// class Commented { void a(); };
#define CLASS class Macro { void a(); };
enum class Colour { kRed, kBlue };
class Forward;
template <class T>
class Many final : public Base<int, (1 > 0)>, private Other {
 public:
  Many() = default;
  Many(const Many&) = delete;
  explicit Many(int one, int two = f(3))
      : Base(one), member_{two}, list_{{1, 2}} {
    struct Local {
      ~Local() { done(); }
      int& left;
    } local{two};
    call(one);
  }
  ~Many() override;
  Many& operator=(const Many&) = delete;
  bool operator==(const Many& other) const = default;
  void operator()(int value) const { (void)value; }
  bool operator<(const Many& other) const;
  explicit operator bool() const { return true; }
  std::function<void(int)> returns_function(std::function<int()> takes) const;
  virtual void pure() = 0;
  static constexpr int compute(int a) noexcept(true) { return a < 2 ? a : (a > 3); }
  template <class U, auto F = (1 > 2)>
    requires std::is_same_v<T, U> && (sizeof(U) > 1)
  auto templated(U&& value) -> decltype(value.x()) { return value.x(); }
  [[nodiscard]] int annotated() ABSL_LOCKS_EXCLUDED(mutex_);
  int* pointer(char c = '{', const char* text = "}{;(") const;
  friend bool operator!=(const Many& a, const Many& b) { return !(a == b); }
  friend class Stranger;
  friend void befriended(int);
  using Base::inherited;
  using Callback = void (*)(int);
  typedef int (*Old)(int);
  static_assert(sizeof(int) == 4, "so it is");
  enum class Set { kOne, kTwo };
  enum : int { kThree };
  class Nested {
   public:
    void one();
    int two() const { return 2; }

   private:
    int data_;
  };
  struct Point { int x = 0, y = 0; } point_, *other_point_ = nullptr;
  class Declared;

 protected:
  void (*pointer_)(const char*, int) = nullptr;
  std::function<void()> callback_;
  std::map<std::string, std::vector<int (*)(int)>> map_;
  int guarded_ ABSL_GUARDED_BY(mutex_) = 0;
  int array_[sizeof(int)] = {1, 2};
  alignas(64) std::atomic<int> aligned_{0};
  decltype(f(1)) deduced_;
  static const std::string kText;
  const int bits_ : 3 = 0;
  std::string raw_ = R"x(class Raw { void f(); )x";
  static constexpr Table<State, Event> kTable{{
      {State::kA, Event::kB},
  }};
  std::function<void()> lambda_ = [] { call(); };
};
class Many<void>::Apart : Base { void only(); };
struct Special<void (*)(int)> { using Result = void; };
void function() { class InFunction { void method() {} }; }
'''


def test_the_reader_of_classes():
    found = {each.name: each.methods for each in classes_of(SAMPLE)}
    assert found == {
        "Many": ("Many", "Many", "Many", "~Many", "operator=", "operator==", "operator()", "operator<", "operatorbool",
                 "returns_function", "pure", "compute", "templated", "annotated", "pointer"),
        "Many::Local": ("~Local",),
        "Many::Nested": ("one", "two"),
        "Many::Point": (),
        "Many::Apart": ("only",),
        "Special": (),
        "InFunction": ("method",),
    }


def test_a_class_with_one_method_too_many_is_found():
    methods = "".join(f"  void method{n}() {{}}\n" for n in range(METHODS_MAX + 1))
    (found,) = classes_of(f"namespace a {{\nclass Large {{\n  int data_;\n{methods}}};\n}}")
    assert (found.name, found.line, len(found.methods)) == ("Large", 2, METHODS_MAX + 1)
