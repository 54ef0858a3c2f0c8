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

    /// <summary>All of them.</summary>
    All = Items | Sharing,
}
