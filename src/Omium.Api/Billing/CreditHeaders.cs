using System.Globalization;
using Microsoft.AspNetCore.Http;
using Omium.Api.Keys;
using Omium.Kernel.Ledger;

namespace Omium.Api.Billing;

/// <summary>
/// What every answer to a key says of its tenant's credits: <c>Omium-Credits-Remaining</c>, whole credits as they stood when the request came, and
/// <c>Omium-Credits-Warning: low</c> while less than a tenth is left of what there was after the last credits came.
/// </summary>
internal static class CreditHeaders
{
    public const string Remaining = "Omium-Credits-Remaining", Warning = "Omium-Credits-Warning";

    /// <summary>Adds the headers; from memory, but for the first request of a tenant and where other processes write its ledger.</summary>
    public static async ValueTask AddAsync(HttpContext context, ApiServices services, Caller caller)
    {
        if (services.Credits.Executions is null)
        {
            return; // Nothing is metered here.
        }

        var state = await services.Billing.StateAsync(caller.Tenant, context.RequestAborted);
        context.Response.Headers[Remaining] = Credits.Whole(state.RemainingMicro).ToString(CultureInfo.InvariantCulture);
        if (state.Low)
        {
            context.Response.Headers[Warning] = "low";
        }
    }
}
