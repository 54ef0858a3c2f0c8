namespace Omium.Simulation.Workflows;

/// <summary>
/// What a simulation may draw beyond plain steps, calls and people. Each is drawn from a stream of chance of its own: a seed with a feature left
/// out is the run it was before there was that feature, which is how seeds that once found a bug keep their meaning.
/// </summary>
[Flags]
internal enum Features
{
    /// <summary>Chains of agents, tools, approvals and decisions.</summary>
    None = 0,

    /// <summary>Steps that run once for every item of a list.</summary>
    Items = 1,

    /// <summary>Locks over executions, and values that they share.</summary>
    Sharing = 2,

    /// <summary>Handoffs with claims that are measured by an expression, a tool or the receiving worker.</summary>
    Handoffs = 4,

    /// <summary>Agents that must agree before a step commits or a call is made.</summary>
    Verifiers = 8,

    /// <summary>Steps done by code that polls for tasks.</summary>
    Workers = 16,

    /// <summary>Limits of tools: how many calls at a time, how many in a second, a breaker.</summary>
    Limits = 32,

    /// <summary>Credits: leases, a balance that runs out, top-ups, sweeps.</summary>
    Billing = 64,

    /// <summary>Steps that are an execution of their own.</summary>
    Children = 128,

    /// <summary>People who fork executions at points of their past.</summary>
    Forks = 256,

    /// <summary>People who move runs to another version of their workflow.</summary>
    Migrations = 512,

    /// <summary>Inputs made from what steps beside have given, with no edge from there.</summary>
    Glances = 1024,

    /// <summary>Programs that run elsewhere and trace what they do.</summary>
    Traced = 2048,

    /// <summary>
    /// People and workers who act on what they saw before: they decide on what another question showed, answer when somebody else has the task, acknowledge
    /// an earlier round, take a fork back to the start.
    /// </summary>
    Latecomers = 4096,

    /// <summary>What there was before there was money.</summary>
    Unpaid = Items | Sharing | Handoffs | Verifiers | Workers | Limits,

    /// <summary>What there was before anybody came late.</summary>
    Timely = Unpaid | Billing | Children | Forks | Migrations | Glances | Traced,

    /// <summary>What is drawn unless told otherwise.</summary>
    All = Timely | Latecomers,
}
