// Names on the wire: a definition gives them, a registration does not.
#include "tests/integration/world.h"

namespace chimera::integration {
namespace {

namespace enums = api::enums::v1;

const ActivityOptions kOnce{.start_to_close_timeout = 10s,
                            .retry_policy = RetryPolicy{.maximum_attempts = 1}};

// --- One handler under two names in two workflow classes ---

class Approvable {
 public:
  std::string wait() {
    workflow::wait_condition([this] { return !by_.empty(); });
    return by_;
  }
  void approve(std::string by) { by_ = by; }
  std::string by() const { return by_; }
  std::string change(std::string to) { return std::exchange(by_, to); }

 private:
  std::string by_;
};
struct Loan : Approvable {
  std::string run() { return "loan by " + wait(); }
};
struct Leave : Approvable {
  std::string run() { return "leave by " + wait(); }
};
const auto kLoan = define_workflow<&Loan::run>("Loan")
                       .signal<&Approvable::approve>("grant")
                       .query<&Approvable::by>("granted_by")
                       .update<&Approvable::change>("regrant");
const auto kLeave = define_workflow<&Leave::run>("Leave")
                        .signal<&Approvable::approve>("allow")
                        .query<&Approvable::by>("allowed_by")
                        .update<&Approvable::change>("reallow");

// Both as children, each signalled by its own handle.
struct Both {
  std::string run() {
    auto loan = workflow::start_child_workflow<&Loan::run>({});
    auto leave = workflow::start_child_workflow<kLeave>({});
    loan.signal<&Approvable::approve>("ann");
    leave.signal<&Approvable::approve>("bob");
    return loan.get() + ", " + leave.get();
  }
};
const auto kBoth = define_workflow<&Both::run>("Both");

// --- One method for two objects ---

struct Bank {
  std::string name;
  std::string charge(const std::string& whom) { return name + " charges " + whom; }
};
inline constexpr auto kHere = define_activity<&Bank::charge>("charge_here");
inline constexpr auto kThere = define_activity<&Bank::charge>("charge_there");

struct TwoBanks {
  std::string run() {
    return workflow::execute_activity<kHere>(kOnce, "ann") + ", " +
           workflow::execute_activity<kThere>(kOnce, "bob") + ", " +
           workflow::execute_activity<&Bank::charge>(kOnce, "cid");
  }
};
const auto kTwoBanks = define_workflow<&TwoBanks::run>("TwoBanks");

// --- Two definitions of one workflow ---

struct Greets {
  std::string run(std::string again) {
    if (again.empty()) go_on();
    return workflow::info().workflow_type + " " + again;
  }
  [[noreturn]] static void go_on();
};
const auto kGreets = define_workflow<&Greets::run>("Greets");
const auto kGreetsAgain = define_workflow<&Greets::run>("GreetsAgain");
void Greets::go_on() { workflow::continue_as_new<kGreetsAgain>("again"); }

class NamesTest : public World {};

TEST_F(NamesTest, AHandlerGoesByTheNameThatTheWorkflowsDefinitionGives) {
  Worker worker(client_, options());
  worker.add(kLoan).add(kLeave).add(kBoth);
  worker.start();

  auto loan = client_.start_workflow<&Loan::run>(start("loan"));
  auto leave = client_.start_workflow<kLeave>(start("leave"));
  EXPECT_EQ(loan.query<&Approvable::by>(), "");
  loan.signal<&Approvable::approve>("ann");
  client_.get_workflow_handle<&Leave::run>("leave").signal<&Approvable::approve>("bob");
  EXPECT_EQ(loan.result(), "loan by ann");
  EXPECT_EQ(leave.result(), "leave by bob");

  auto other = client_.signal_with_start<kLoan, &Approvable::approve>(start("other"), {"cid"});
  EXPECT_EQ(other.result(), "loan by cid");
  EXPECT_EQ(client_.execute_workflow<&Both::run>(start("both")), "loan by ann, leave by bob");
  // A handle that does not know its workflow cannot choose.
  EXPECT_THROW(client_.get_workflow_handle<std::string>("loan").signal<&Approvable::approve>("x"),
               std::logic_error);
}

TEST_F(NamesTest, AMethodOfTwoObjectsGoesByTheDefinitionThatTheCallNames) {
  Bank here{"here"}, there{"there"}, third{"third"};
  Worker worker(client_, options());
  worker.add(kTwoBanks).add(kHere, here).add(kThere, there).add_activity<&Bank::charge>(third);
  worker.start();

  EXPECT_EQ(client_.execute_workflow<&TwoBanks::run>(start("banks")),
            "here charges ann, there charges bob, third charges cid");
}

// A fleet of workflows and a fleet of activities: who registers what, and when, changes nothing.
TEST_F(NamesTest, SeparateFleetsAgreeOnNames) {
  Bank here{"here"}, there{"there"}, third{"third"}, decoy{"decoy"};
  Registry elsewhere;  // Under other names, before anything runs.
  elsewhere.add_activity<&Bank::charge>(decoy, "decoy").add_activity<&Bank::charge>(decoy, "x");
  WorkerOptions only_workflows = options();
  only_workflows.no_remote_activities = true;
  Worker workflows(client_, only_workflows);
  workflows.add(kTwoBanks);
  workflows.start();
  Worker activities(client_, options());
  activities.add(kHere, here).add(kThere, there).add_activity<&Bank::charge>(third);
  activities.add_workflow_type(kTwoBanks.type());  // Whichever fleet gets its task.
  activities.start();

  for (const char* id : {"first", "second"}) {
    EXPECT_EQ(client_.execute_workflow<&TwoBanks::run>(start(id)),
              "here charges ann, there charges bob, third charges cid");
  }
}

TEST_F(NamesTest, AWorkflowOfTwoDefinitionsMustBeNamed) {
  Worker worker(client_, options());
  worker.add(kGreets).add(kGreetsAgain);
  worker.start();

  EXPECT_EQ(client_.execute_workflow<kGreetsAgain>(start("a"), "x"), "GreetsAgain x");
  EXPECT_EQ(client_.execute_workflow<kGreets>(start("b"), "x"), "Greets x");
  EXPECT_EQ(client_.execute_workflow<kGreets>(start("c"), ""), "GreetsAgain again");
  try {
    client_.start_workflow<&Greets::run>(start("d"), "x");
    ADD_FAILURE() << "started as one of two";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Greets is defined under the names 'Greets' and "
                                        "'GreetsAgain'"));
  }
}

}  // namespace
}  // namespace chimera::integration
